import CPhaseABI
import HostProtocol

/// The `ct_error` lent to every call into the plugin, with its buffers. One for the thread that makes the calls.
final class CallError {
  let pointer: UnsafeMutablePointer<ct_error>

  init() {
    pointer = .allocate(capacity: 1)
    var error = ct_error()
    error.struct_size = UInt32(MemoryLayout<ct_error>.size)
    error.message = makeBuffer(8 << 10)
    error.type = makeBuffer(256)
    error.where = makeBuffer(1 << 10)
    pointer.initialize(to: error)
  }

  deinit {
    pointer.pointee.message.ptr.deallocate()
    pointer.pointee.type.ptr.deallocate()
    pointer.pointee.where.ptr.deallocate()
    pointer.deallocate()
  }

  /// Makes it ready for the next call.
  func reset() {
    pointer.pointee.code = 0
    pointer.pointee.retry_after_ms = 0
    pointer.pointee.message.len = 0
    pointer.pointee.type.len = 0
    pointer.pointee.where.len = 0
  }

  /// What the last call said. A status that no `ct_status` names is a bug of the plugin, and so is success with a
  /// result that cannot be one.
  func result(_ status: ct_status, output: RunningJob.Output = .nothing) -> HostResult {
    let known = UInt8(exactly: status).flatMap(HostStatus.init(rawValue:))
    let meaning = known ?? .internalError
    switch (meaning, output) {
    case (.ok, .nothing): return HostResult(status: .ok)
    case (.ok, .object(let bytes)): return HostResult(status: .ok, output: bytes)
    case (.ok, .refused(let why)): return HostResult(status: .internalError, error: badResult(why))
    // `return job->set_result(…)`, which has no words of its own.
    case (.badInput, .refused(let why)) where pointer.pointee.message.len == 0:
      return HostResult(status: .internalError, error: badResult(why))
    default: return failure(meaning, silence: known == nil ? "returned the status \(status), which is none" : nil)
    }
  }

  private func badResult(_ why: String) -> HostError {
    HostError(message: "its result \(why)", type: "BadResult")
  }

  private func failure(_ meaning: HostStatus, silence: String?) -> HostResult {
    let error = pointer.pointee
    var message = text(error.message)
    if message.isEmpty { message = silence ?? "gave no message" }
    let type = text(error.type)
    return HostResult(
      status: meaning, output: nil,
      error: HostError(
        message: message, type: type.isEmpty ? "\(meaning)" : type, location: text(error.where), code: error.code),
      retryAfterMilliseconds: meaning == .retry && error.retry_after_ms > 0 ? error.retry_after_ms : nil)
  }

  private func text(_ buffer: ct_buffer) -> String {
    ct_str(ptr: buffer.ptr, len: Int(min(buffer.len, buffer.cap))).text(limit: Int(buffer.cap))
  }
}

private func makeBuffer(_ capacity: Int) -> ct_buffer {
  let memory = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
  memory.initialize(repeating: 0, count: capacity)
  return ct_buffer(ptr: memory, cap: UInt32(capacity), len: 0)
}
