internal import CZeroMQ

/// A socket operation that failed, in words for people.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The `errno` of the call: system errors, or libzmq's own.
  public let code: Int32
  public let message: String
  public var description: String { message }

  public init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// Reads libzmq's error of the calling thread.
  static func last(_ what: String) -> TransportError {
    let code = zmq_errno()
    return TransportError(code: code, message: "\(what): \(String(cString: zmq_strerror(code)))")
  }

  /// Somebody else is bound there.
  public var isAddressInUse: Bool { code == EADDRINUSE }
}
