internal import PipelineModel

/// Finds when a worker hears of no coordinator, or is taken by none, so that it says so instead of waiting in silence. A
/// pure value.
struct CoordinatorSilence {
  enum Kind: Equatable {
    /// Nobody subscribes at the address.
    case nobody
    /// Somebody listens and has sent no welcome.
    case noWelcome
  }

  static let nobodyAfterMilliseconds: Int64 = 3_000
  static let noWelcomeAfterMilliseconds: Int64 = 5_000

  private var kind: Kind?
  private var since = Instant(milliseconds: 0)

  /// - Returns: what has been so for too long; nil where nothing is wrong, or not for long enough.
  mutating func look(isHeard: Bool, isWelcome: Bool, now: Instant) -> Kind? {
    let present: Kind? = !isHeard ? .nobody : isWelcome ? nil : .noWelcome
    if kind != present { (kind, since) = (present, now) }
    switch present {
    case .nobody where now - since >= Self.nobodyAfterMilliseconds: return .nobody
    case .noWelcome where now - since >= Self.noWelcomeAfterMilliseconds: return .noWelcome
    default: return nil
    }
  }
}
