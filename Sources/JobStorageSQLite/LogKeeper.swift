/// Keeps the write-ahead log short: writes it back once it is long, at a moment when nobody reads from it, so that it
/// begins anew.
///
/// In place of SQLite's own habit, which tries at each commit while a reader is in the way, and lets the log grow for as
/// long as one reader follows the other.
struct LogKeeper {
  private let connection: Connection
  private let gate: LogGate
  private var nextAt = longPages

  init(_ connection: Connection, _ gate: LogGate) {
    self.connection = connection
    self.gate = gate
    // One that ended while it had the gate closed left it so.
    gate.open()
  }

  /// After each commit. Waits for nobody.
  mutating func tend() {
    let pages = connection.logFrames
    if pages < Self.longPages { nextAt = Self.longPages }
    guard pages >= nextAt else { return }
    // Another program that reads is none of ours to stop: the next try is after some more pages.
    guard gate.close(isUrgent: pages >= Self.urgentPages) else { return }
    nextAt = connection.writeBackLog() ? Self.longPages : pages + Self.pagesBetweenTries
    gate.open()
  }

  /// 16 MiB: pages that every turn writes are then copied into the file but once.
  private static let longPages = 4_096
  /// 32 MiB: what readers are at is broken off.
  private static let urgentPages = 8_192
  private static let pagesBetweenTries = 512
}
