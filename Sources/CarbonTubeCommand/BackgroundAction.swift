internal import CarbonTube
internal import Glibc
internal import Synchronization

/// What a coordinator says about a change of jobs: how many were changed, or the action that goes on in the background.
struct ActionDocument: Decodable {
  var action: String?
  var verb: String?
  /// Of the action: running, done, stopped, failed. Of one job that was not changed: where it stands.
  var state: String?
  var changed: Int?
  var examined: Int?
  var error: String?
  var requeued: Int?
  var deleted: Int?
  var cancelled: Int?
  var count: Int?
  /// Of a cancelled job.
  var was: String?

  /// - Parameter done: requeued, deleted or cancelled.
  func count(of done: String) -> Int {
    if let changed { return changed }
    switch done {
    case "requeued": return requeued ?? 0
    case "deleted": return deleted ?? 0
    default: return cancelled ?? (was == nil ? 0 : 1)
    }
  }
}

/// An action that the coordinator carries out step by step, watched until its end.
struct BackgroundAction {
  let id: String
  /// What becomes of the jobs, e.g. "requeued".
  let done: String
  let connection: CoordinatorConnection

  private static let pauseMicroseconds: UInt32 = 200_000

  /// Shows how far it is; Ctrl-C stops the action.
  ///
  /// - Returns: how many jobs were changed.
  /// - Throws: where it was stopped, or ended with an error; says how many were changed until then.
  func follow(_ first: ActionDocument) throws(CommandFailure) -> Int {
    let interrupted = InterruptFlag()
    let signals = StopSignals { _ in interrupted.raise() }
    defer { withExtendedLifetime(signals) {} }
    var progress = ActionProgress(done: done)
    var document = first
    while document.state == "running" {
      progress.show(document)
      usleep(Self.pauseMicroseconds)
      guard !interrupted.isRaised else {
        progress.finish()
        return try stop()
      }
      document = try ask("action")
    }
    progress.finish()
    let changed = document.changed ?? 0
    switch document.state {
    case "done": return changed
    case "stopped": throw CommandFailure(.refused, "somebody stopped action \(id); \(changed) jobs were \(done)")
    default:
      let reason = document.error ?? "the coordinator does not say why"
      throw CommandFailure(.refused, "action \(id) failed: \(reason); \(changed) jobs were \(done)")
    }
  }

  private func stop() throws(CommandFailure) -> Int {
    let stopped = try ask("stop-action")
    throw CommandFailure(.interrupted, "stopped action \(id); \(stopped.changed ?? 0) jobs were \(done)")
  }

  private func ask(_ verb: String) throws(CommandFailure) -> ActionDocument {
    try JSONText.decode(ActionDocument.self, from: try connection.ask(verb, VerbDocument(id: id)).document)
  }
}

/// One line that is drawn over on a terminal, now and then a line elsewhere.
private struct ActionProgress {
  let done: String
  private var shownAt = Instant(milliseconds: 0)

  init(done: String) { self.done = done }

  mutating func show(_ document: ActionDocument) {
    let isTerminal = StandardStreams.errorIsTerminal
    let now = Instant.now()
    guard now - shownAt >= (isTerminal ? 100 : 2_000) else { return }
    shownAt = now
    let examined = document.examined.map { ", \($0) looked at" } ?? ""
    let line = "\(document.changed ?? 0) jobs \(done)\(examined)"
    if isTerminal { StandardStreams.draw("\r\u{1B}[2K" + line) } else { StandardStreams.complain(line) }
  }

  func finish() {
    if StandardStreams.errorIsTerminal { StandardStreams.draw("\n") }
  }
}

/// Raised by the signals' thread, seen by the one that works.
private final class InterruptFlag: Sendable {
  private let state = Mutex(false)
  var isRaised: Bool { state.withLock { $0 } }
  func raise() { state.withLock { $0 = true } }
}
