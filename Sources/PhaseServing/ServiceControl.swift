internal import Synchronization
internal import ZeroMQTransport

/// How other threads reach a service, and hear of its end.
final class ServiceControl: Sendable {
  enum DesiredState: Int, Comparable {
    case serve, drain, stop
    static func < (left: DesiredState, right: DesiredState) -> Bool { left.rawValue < right.rawValue }
  }

  /// Of the loop that the service is given to.
  let wake: WakeUp
  private let whenEnded: @Sendable () -> Void
  private let state = Mutex((desired: DesiredState.serve, hasEnded: false))

  /// - Parameter whenEnded: called on the loop's thread, once `hasEnded` is true.
  init(wake: WakeUp, whenEnded: @escaping @Sendable () -> Void = {}) {
    self.wake = wake
    self.whenEnded = whenEnded
  }

  var desired: DesiredState { state.withLock { $0.desired } }

  /// It was drained or stopped, by this program or by a coordinator, or ended by itself.
  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  func ask(_ desired: DesiredState) {
    state.withLock { $0.desired = max($0.desired, desired) }
    wake.signal()
  }

  func noteEnd() {
    state.withLock { $0.hasEnded = true }
    whenEnded()
  }
}
