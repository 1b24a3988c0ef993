public import WireProtocol

/// Why a client could not do what it was asked. What a coordinator refuses is an error of `ask` alone; else it is an answer.
public struct PipelineClientError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The address is malformed.
    case address
    /// There was no connection until the time was over: nothing was sent, and nothing will be.
    case unreachable
    /// No answer in time. Jobs may be stored or not; those with an id of the client's own can be sent again.
    case timedOut
    /// Too much at once, of this client or for the coordinator; nothing was done. Try again later.
    case busy
    /// `connect` was not called, or `close` was.
    case closed
    /// There is no such job, the coordinator runs another pipeline, or what was asked for cannot be done.
    case refused
    /// The coordinator is stopping, or its store does not answer. Try again later.
    case unavailable
    /// What answers is no coordinator of this version.
    case protocolViolation
  }

  public let kind: Kind
  /// What the coordinator answered where it refused; nil where it answered nothing.
  public let code: ReplyCode?
  /// One line for people.
  public let message: String
  public var description: String { message }

  init(_ kind: Kind, _ message: String, _ code: ReplyCode? = nil) {
    self.kind = kind
    self.code = code
    self.message = message
  }

  /// Of a task that waited for an answer; callers see `CancellationError`.
  static let cancelled = PipelineClientError(.closed, "the task that waited was cancelled")
}
