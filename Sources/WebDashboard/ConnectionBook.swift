internal import NIOCore
internal import Synchronization

/// The connections that are open. Above its bound the one that has been idle the longest is closed, so that whoever
/// holds many does not keep others out.
final class ConnectionBook: Sendable {
  private struct Entry {
    var channel: any Channel
    var client: Client
    /// Rises with each connection that falls idle; nil while a request is under way.
    var idleSince: UInt64?
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var moment: UInt64 = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  var count: Int { state.withLock { $0.entries.count } }

  func opened(_ channel: any Channel) {
    let surplus = state.withLock { state -> Entry? in
      let key = ObjectIdentifier(channel)
      var surplus: Entry?
      if state.entries.count >= limit {
        let idle = state.entries.filter { $0.value.idleSince != nil }
        guard let oldest = idle.min(by: { $0.value.idleSince ?? 0 < $1.value.idleSince ?? 0 }) else {
          return Entry(channel: channel, client: Client())
        }
        surplus = state.entries.removeValue(forKey: oldest.key)
      }
      state.moment += 1
      state.entries[key] = Entry(channel: channel, client: Client(), idleSince: state.moment)
      return surplus
    }
    surplus?.channel.close(promise: nil)
  }

  func closed(_ channel: any Channel) {
    left(channel)
    _ = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  func began(_ channel: any Channel) {
    state.withLock { $0.entries[ObjectIdentifier(channel)]?.idleSince = nil }
  }

  func fellIdle(_ channel: any Channel) {
    state.withLock { state in
      state.moment += 1
      state.entries[ObjectIdentifier(channel)]?.idleSince = state.moment
    }
  }

  /// Nobody reads what is answered on it.
  func left(_ channel: any Channel) {
    state.withLock { $0.entries[ObjectIdentifier(channel)]?.client }?.left()
  }

  /// Who is at the other end; nil where the connection has ended.
  func client(at channel: any Channel) -> Client? {
    state.withLock { $0.entries[ObjectIdentifier(channel)]?.client }
  }

  /// Whoever waits for answers on one connection.
  final class Client: Sendable {
    private struct State {
      var hasLeft = false
      var tasks: [Int: @Sendable () -> Void] = [:]
      var last = 0
    }

    private let state = Mutex(State())

    var hasLeft: Bool { state.withLock { $0.hasLeft } }

    func left() {
      let cancellations = state.withLock { state in
        state.hasLeft = true
        return state.tasks.values.map(\.self)
      }
      for cancel in cancellations { cancel() }
    }

    /// Cancels `body` when the client has left.
    func whilePresent<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
      let task = Task { try await body() }
      let number = state.withLock { state in
        state.last += 1
        state.tasks[state.last] = { task.cancel() }
        return state.last
      }
      defer { _ = state.withLock { $0.tasks.removeValue(forKey: number) } }
      if state.withLock({ $0.hasLeft }) { task.cancel() }
      return try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    }
  }
}
