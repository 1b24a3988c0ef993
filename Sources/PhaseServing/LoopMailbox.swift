internal import Synchronization
internal import ZeroMQTransport

/// How other threads give services to a loop. Each service is told the rest by its own `ServiceControl`.
final class LoopMailbox: Sendable {
  let wake = WakeUp()
  private let state = Mutex(State())

  private struct State {
    var arrived: [SentService] = []
    var isClosed = false
  }

  /// The service belongs to the loop from now on.
  func add(_ service: PhaseService) {
    let sent = SentService(service: service)
    state.withLock { $0.arrived.append(sent) }
    wake.signal()
  }

  /// None comes any more: the loop ends with its last service.
  func close() {
    state.withLock { $0.isClosed = true }
    wake.signal()
  }

  /// - Returns: those that came since the last call, and whether more may come.
  func take() -> (services: [PhaseService], isClosed: Bool) {
    let taken = state.withLock { state in
      defer { state.arrived = [] }
      return state
    }
    return (taken.arrived.map(\.service), taken.isClosed)
  }

  /// Handed over once; never touched by two threads.
  private struct SentService: @unchecked Sendable {
    let service: PhaseService
  }
}
