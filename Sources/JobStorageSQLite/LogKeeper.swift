internal import Glibc

/// Keeps the write-ahead log short: writes it back once it is long, at a moment when nobody reads from it, so that it
/// begins anew.
///
/// In place of SQLite's own habit, which tries at each commit while a reader is in the way, and lets the log grow for as
/// long as one reader follows the other.
struct LogKeeper {
  private let connection: Connection
  private let gate: LogGate
  private let database: DatabaseFile
  private var nextAt = pagesBetweenLooks

  init(_ connection: Connection, _ gate: LogGate, _ database: DatabaseFile) {
    self.connection = connection
    self.gate = gate
    self.database = database
    // One that ended while it had the gate closed left it so.
    gate.open()
  }

  /// After each commit. Waits for nobody.
  mutating func tend() {
    let pages = connection.logFrames
    if pages < Self.pagesBetweenLooks { nextAt = Self.pagesBetweenLooks }
    guard pages >= nextAt else { return }
    guard pages >= Self.longPages || isDiskShort else {
      nextAt = min(pages + Self.pagesBetweenLooks, Self.longPages)
      return
    }
    // Another program that reads is none of ours to stop: the next try is after some more pages.
    guard gate.close(isUrgent: pages >= Self.urgentPages) else { return }
    nextAt = connection.writeBackLog() ? Self.pagesBetweenLooks : pages + Self.pagesBetweenTries
    gate.open()
  }

  /// A log that takes the last room could not be written back any more, for that takes room, too.
  private var isDiskShort: Bool {
    var disk = statvfs()
    guard fstatvfs(database.descriptor, &disk) == 0 else { return false }
    return UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue < Self.shortBytes
  }

  private static let shortBytes: UInt64 = 64 << 20
  /// 1 MiB.
  private static let pagesBetweenLooks = 256
  /// 16 MiB: pages that every turn writes are then copied into the file but once.
  private static let longPages = 4_096
  /// 32 MiB: what readers are at is broken off.
  private static let urgentPages = 8_192
  private static let pagesBetweenTries = 512
}
