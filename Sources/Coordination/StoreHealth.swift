internal import JobStorage
internal import PipelineModel

/// Whether the store can be used, and what is done and said where it cannot. A pure value.
///
/// A store that opens and then refuses to write (a full disk) is as much away as one that does not open: until a write has
/// succeeded the waits stay long and nobody is told that it is back.
struct StoreHealth {
  enum Condition: Hashable {
    /// Has not been open yet.
    case opening
    case open
    case down(reason: String, retryAt: Instant)
  }

  /// What a failure means.
  enum Failure: Hashable {
    /// The store can never be used: the coordinator ends.
    case final
    /// It is tried again.
    /// - `message`: to be said; nil where it was said before, or where the store has not been open yet.
    case passing(message: String?)
  }

  /// Waits between two tries, which double, in milliseconds.
  static let shortestWait: Int64 = 100
  static let longestWait: Int64 = 5_000
  /// A store that has been open this long and was asked to write nothing counts as back.
  static let proof: Int64 = 10_000

  private struct Outage {
    var wait = StoreHealth.shortestWait
    var reason: String
    var openedAt: Instant?
  }

  private(set) var condition = Condition.opening
  /// It has been open since the coordinator began.
  private(set) var wasOpen = false
  private var outage: Outage?
  private let startedAt: Instant
  private let patience: Int64

  /// - Parameter patience: how long a store may be away at the start, or seem to be another's, in milliseconds.
  init(startedAt: Instant, patience: Int64) {
    self.startedAt = startedAt
    self.patience = patience
  }

  var isOpen: Bool { condition == .open }

  /// It is time to open it again.
  func isDueToOpen(now: Instant) -> Bool {
    guard case .down(_, let retryAt) = condition else { return false }
    return now >= retryAt
  }

  /// - Returns: true the first time.
  mutating func opened(now: Instant) -> Bool {
    condition = .open
    outage?.openedAt = now
    guard !wasOpen else { return false }
    (wasOpen, outage) = (true, nil)
    return true
  }

  mutating func failed(_ error: StoreError, now: Instant) -> Failure {
    guard !isFinal(error, now: now) else { return .final }
    var message: String?
    if var outage {
      if outage.reason != error.message { message = "\(error.message); trying again" }
      outage.wait = min(outage.wait * 2, Self.longestWait)
      (outage.reason, outage.openedAt) = (error.message, nil)
      self.outage = outage
    } else {
      outage = Outage(reason: error.message)
      message = "\(error.message); nothing is accepted until it is back, trying again by itself"
    }
    condition = .down(reason: error.message, retryAt: now + (outage?.wait ?? Self.shortestWait))
    return .passing(message: wasOpen ? message : nil)
  }

  /// At the start, a store that is wrong is told at once, and one that is away, or that still seems to be owned by a
  /// coordinator killed a moment ago, gets a little time. Once work has begun, whatever the store says may pass (a password
  /// that is being changed, a table that is being repaired): only another owner ends this one.
  private func isFinal(_ error: StoreError, now: Instant) -> Bool {
    if wasOpen { return error.kind == .ownedByAnother }
    guard error.isTransient || error.kind == .ownedByAnother else { return true }
    return now - startedAt >= patience
  }

  /// Called now and then, and after each write.
  /// - Parameter wrote: something was written just now.
  /// - Returns: true once, where the store has shown that it writes, or has not failed for a while.
  mutating func isBack(wrote: Bool, now: Instant) -> Bool {
    guard isOpen, let openedAt = outage?.openedAt, wrote || now - openedAt >= Self.proof else { return false }
    outage = nil
    return true
  }
}
