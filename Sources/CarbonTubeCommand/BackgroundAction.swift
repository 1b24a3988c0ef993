internal import CarbonTube
internal import Glibc
internal import Synchronization

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
      document = try ask(Verbs.Action.self)
    }
    progress.finish()
    let changed = document.changed
    switch document.state {
    case "done": return changed
    case "stopped": throw CommandFailure(.refused, "somebody stopped action \(id); \(changed) jobs were \(done)")
    default:
      let reason = document.error ?? "the coordinator does not say why"
      throw CommandFailure(.refused, "action \(id) failed: \(reason); \(changed) jobs were \(done)")
    }
  }

  private func stop() throws(CommandFailure) -> Int {
    let stopped = try ask(Verbs.StopAction.self)
    throw CommandFailure(.interrupted, "stopped action \(id); \(stopped.changed) jobs were \(done)")
  }

  private func ask<V: Verb>(_ verb: V.Type) throws(CommandFailure) -> ActionDocument
  where V.Arguments == Verbs.ActionArguments, V.Answer == ActionDocument {
    try connection.ask(verb, .init(id: id)).document()
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
    let line = "\(document.changed) jobs \(done), \(document.examined) looked at"
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
