public import WireProtocol

/// What became of one job.
public struct EnqueueAnswer: Hashable, Sendable {
  public var code: ReplyCode
  /// The job's id: the client's own, or the one the coordinator made; nil where a job without an id was refused.
  public var id: String?
  /// Empty, or a sentence for people.
  public var message: String

  /// True when the job is stored, by this request or by an earlier one with the same id.
  public var ok: Bool { code == .ok || code == .duplicate }

  /// The window is full: as many requests as `hwm` allows are without an answer.
  static let windowFull = EnqueueAnswer(code: .busy, id: nil, message: "busy, try again later")
}
