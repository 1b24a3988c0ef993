internal import CHiredis

/// An answer of the server, copied out of hiredis' memory.
enum RedisReply {
  case text([UInt8])
  case integer(Int64)
  case array([RedisReply])
  case null
  case error(String)

  init(copying reply: UnsafeMutablePointer<redisReply>) {
    let value = reply.pointee
    switch value.type {
    case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: self = .text(Self.bytes(value))
    case REDIS_REPLY_ERROR: self = .error(String(decoding: Self.bytes(value), as: UTF8.self))
    case REDIS_REPLY_INTEGER: self = .integer(Int64(value.integer))
    case REDIS_REPLY_ARRAY:
      self = .array(
        (0..<value.elements).map { index in value.element[index].map { RedisReply(copying: $0) } ?? .null })
    default: self = .null
    }
  }

  private static func bytes(_ value: redisReply) -> [UInt8] {
    guard let start = value.str else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(value.len)))
  }

  var array: [RedisReply]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  var bytes: [UInt8]? {
    guard case .text(let bytes) = self else { return nil }
    return bytes
  }

  var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// An integer, or text that is one.
  var number: Int64? {
    if case .integer(let number) = self { return number }
    return string.flatMap { Int64($0) }
  }
}
