/// Why a client could not do what it was asked; what a coordinator refuses is an answer, not an error.
public struct PipelineClientError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The address is malformed.
    case address
    /// There was no connection until the time was over: nothing was sent, and nothing will be.
    case unreachable
    /// No answer in time. Jobs may be stored or not; those with an id of the client's own can be sent again.
    case timedOut
    /// Too many requests of this client are without an answer already; nothing was sent. Try again later.
    case busy
    /// `connect` was not called, or `close` was.
    case closed
    /// There is no such job, or the coordinator runs another pipeline; only where the answer cannot say so itself.
    case refused
    /// What answers is no coordinator of this version.
    case protocolViolation
  }

  public let kind: Kind
  /// One line for people.
  public let message: String
  public var description: String { message }

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// Of a task that waited for an answer; callers see `CancellationError`.
  static let cancelled = PipelineClientError(.closed, "the task that waited was cancelled")
}
