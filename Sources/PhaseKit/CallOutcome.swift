import CPhaseABI

/// How a call of the host ended, on its way into a `ct_status` and a `ct_error`.
struct CallOutcome: Sendable {
  var status: ct_status
  var type = ""
  var message = ""
  var location = ""
  var retryAfterMilliseconds: UInt64 = 0

  static let success = CallOutcome(status: ct_status(CT_OK))

  /// - Parameters:
  ///   - place: stands in where the error does not know where it came from.
  ///   - isCancelled: whether the host has asked the call to stop.
  init(_ error: any Error, place: String, isCancelled: Bool) {
    switch error {
    case let error as PhaseError: self.init(error, place: place)
    case is HookNotWritten: self.init(status: ct_status(CT_UNSUPPORTED), type: "HookNotWritten", message: "not written")
    case is CancellationError:
      // A cancellation that nobody asked for is a task's own affair and an ordinary failure of the job.
      self.init(
        status: ct_status(isCancelled ? CT_CANCELLED : CT_FAILED), type: "CancellationError", message: "cancelled",
        location: place)
    default:
      self.init(status: ct_status(CT_FAILED), type: "\(Swift.type(of: error))", message: "\(error)", location: place)
    }
  }

  init(status: ct_status, type: String = "", message: String = "", location: String = "") {
    self.status = status
    self.type = type
    self.message = message
    self.location = location
  }

  private init(_ error: PhaseError, place: String) {
    self.init(
      status: ct_status(error.kind.status), type: error.type ?? error.kind.type, message: error.message,
      location: error.location.isEmpty ? place : error.location)
    if case .retry(let milliseconds) = error.kind { retryAfterMilliseconds = milliseconds }
  }

  /// Fills `error` as far as its producer has room and knows the fields.
  func write(to error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    guard status != ct_status(CT_OK), let error else { return status }
    guard error.pointee.struct_size >= MemoryLayout<ct_error>.size else { return status }
    error.pointee.retry_after_ms = retryAfterMilliseconds
    put(message, into: &error.pointee.message)
    put(type, into: &error.pointee.type)
    put(location, into: &error.pointee.where)
    return status
  }
}

extension PhaseError.Kind {
  fileprivate var status: Int {
    switch self {
    case .failed: CT_FAILED
    case .permanent: CT_PERMANENT
    case .retry: CT_RETRY
    case .badInput: CT_BAD_INPUT
    case .bug: CT_INTERNAL
    }
  }

  fileprivate var type: String {
    switch self {
    case .failed: "Failed"
    case .permanent: "Permanent"
    case .retry: "Retry"
    case .badInput: "BadInput"
    case .bug: "Internal"
    }
  }
}

/// Cuts between characters, so that the host reads UTF-8.
private func put(_ text: String, into buffer: inout ct_buffer) {
  var bytes = Array(text.utf8.prefix(Int(buffer.cap)))
  while !bytes.isEmpty, String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
  bytes.withUnsafeBytes { source in
    if let start = source.baseAddress {
      buffer.ptr?.update(from: start.assumingMemoryBound(to: CChar.self), count: source.count)
    }
  }
  buffer.len = UInt32(bytes.count)
}
