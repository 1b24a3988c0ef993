internal import PipelineModel

/// Whether one slot's child can run jobs, out of how its starts went. A pure value.
///
/// A slot whose child crashed in a job counts as able while the next child starts, so that a job that crashes does not
/// take its worker out of service; a slot whose child does not start is not.
struct ChildHealth {
  enum Standing: Equatable {
    /// Has a ready child, or had one a moment ago.
    case able
    case starting
    case failing(String)
  }

  /// How long a slot counts as able without a child, after one that was ready ended.
  static let replacementMilliseconds: Int64 = 2_000
  /// A child that ends without a job this soon after it was ready was no use.
  static let settlingMilliseconds: Int64 = 5_000
  private static let longestPause: Int64 = 5_000

  private(set) var isReady = false
  /// Why the last child did not start; nil once one did.
  private(set) var problem: String?
  private let readyWithin: Int64
  private var startedAt: Instant?
  private var readyAt: Instant?
  private var lostAt: Instant?
  private var failedStarts = 0
  private var startAgainAt = Instant(milliseconds: .min)

  /// - Parameter readyWithin: milliseconds from the start of a child until it must be ready.
  init(readyWithin: Int64) { self.readyWithin = readyWithin }

  func standing(now: Instant) -> Standing {
    if isReady { return .able }
    if let problem { return .failing(problem) }
    if let lostAt, now - lostAt < Self.replacementMilliseconds { return .able }
    return .starting
  }

  func mayStart(now: Instant) -> Bool { now >= startAgainAt }

  /// The child should have become ready by now.
  func isOverdue(now: Instant) -> Bool {
    guard !isReady, let startedAt else { return false }
    return now - startedAt >= readyWithin
  }

  mutating func started(now: Instant) { startedAt = now }

  mutating func becameReady(now: Instant) {
    isReady = true
    readyAt = now
    failedStarts = 0
    problem = nil
  }

  /// The child says why it will run nothing, or is given up; its end follows.
  mutating func refused(_ reason: String) { problem = reason }

  /// It was killed since it was overdue; its end follows.
  mutating func gaveUp() {
    problem =
      "a child was not ready within \(readyWithin) ms; init() and create() of the plugin must "
      + "not take longer, or the worker must wait for longer (--ready-timeout)"
  }

  mutating func startFailed(_ reason: String, now: Instant) {
    problem = reason
    failedStarts += 1
    startAgainAt = now + min(100 << Int64(min(failedStarts, 6)), Self.longestPause)
  }

  /// - Parameter hadJob: the child ended in a job, which says nothing about the next child.
  mutating func ended(_ explanation: String, hadJob: Bool, now: Instant) {
    let wasReady = isReady
    isReady = false
    startedAt = nil
    if !wasReady {
      startFailed(problem ?? "a child ended before it was ready: \(explanation)", now: now)
    } else if !hadJob, let readyAt, now - readyAt < Self.settlingMilliseconds {
      startFailed("a child ended without a job, soon after it was ready: \(explanation)", now: now)
    } else {
      lostAt = now
    }
  }
}
