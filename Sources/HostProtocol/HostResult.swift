/// How a call into a plugin ended; the numbers are those of `ct_status` in carbontube.h, which tells what is retried.
public enum HostStatus: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case ok = 0
  case failed = 1
  case permanent = 2
  case retry = 3
  case cancelled = 4
  case badInput = 5
  case unsupported = 6
  case internalError = 7

  public var description: String {
    switch self {
    case .ok: "ok"
    case .failed: "failed"
    case .permanent: "permanent"
    case .retry: "retry"
    case .cancelled: "cancelled"
    case .badInput: "bad input"
    case .unsupported: "unsupported"
    case .internalError: "internal error"
    }
  }
}

/// Why a call into a plugin did not end well, in the plugin's words.
public struct HostError: Hashable, Sendable, CustomStringConvertible {
  public var message: String
  /// A short class such as `FileMissing`; the status's name where the plugin gave none.
  public var type: String
  /// `file:line` or another place in the author's code; may be empty.
  public var location: String
  /// The plugin's own number; 0 where it has none.
  public var code: Int32

  public init(message: String, type: String, location: String = "", code: Int32 = 0) {
    self.message = message
    self.type = type
    self.location = location
    self.code = code
  }

  public var description: String {
    location.isEmpty ? "\(type): \(message)" : "\(type): \(message) (\(location))"
  }
}

/// The end of one job or hook.
public struct HostResult: Hashable, Sendable {
  public var status: HostStatus
  /// A JSON object to be merged into the instructions; nil leaves them as they are. Only with `.ok`.
  public var output: [UInt8]?
  /// Nil with `.ok`, present with all others.
  public var error: HostError?
  /// Only with `.retry`: what the phase asked for; nil leaves it to the phase's policy.
  public var retryAfterMilliseconds: UInt64?

  public init(
    status: HostStatus, output: [UInt8]? = nil, error: HostError? = nil, retryAfterMilliseconds: UInt64? = nil
  ) {
    self.status = status
    self.output = output
    self.error = error
    self.retryAfterMilliseconds = retryAfterMilliseconds
  }
}
