/// What peers of protocol 1 are told, in its own words.
public enum OlderProtocol {
  private static let version: UInt8 = 1

  /// The answer to a request of a client of protocol 1: that it is refused.
  ///
  /// - Parameter frame: the header of what it sent.
  /// - Returns: the frames of the answer; nil for anything else than such a request.
  public static func refusal(of frame: [UInt8], message: String) -> [[UInt8]]? {
    guard frame.count > Prologue.length, frame.starts(with: [0x43, 0x54, version]) else { return nil }
    var reader = HeaderReader(frame)
    guard let request = try? reader.number() else { return nil }
    switch MessageKind(rawValue: frame[3]) {
    case .request:
      return [older(Reply(request: request, code: .invalid, message: message).encoded()), Array("{}".utf8)]
    case .enqueue:
      guard (try? reader.text(atMost: EnqueueRequest.maximumNameBytes)) != nil,
        let count = try? reader.count(atMost: EnqueueRequest.maximumJobs)
      else { return nil }
      let refused = EnqueueReply.Job(code: .invalid, id: nil, message: message)
      return [older(EnqueueReply(request: request, jobs: Array(repeating: refused, count: count)).encoded())]
    default: return nil
    }
  }

  private static func older(_ header: [UInt8]) -> [UInt8] {
    var header = header
    header[2] = version
    return header
  }
}
