import CPhaseABI
import HostProtocol

/// The `ct_error` lent to every call into the plugin, with its buffers. One for the thread that makes the calls.
///
/// What a plugin writes into it may be wrong in every field, so where the buffers are and how large is known here.
final class CallError {
  private typealias Buffer = UnsafeMutableBufferPointer<CChar>

  let pointer: UnsafeMutablePointer<ct_error>
  private let message = makeBuffer(8 << 10)
  private let type = makeBuffer(256)
  private let location = makeBuffer(1 << 10)

  init() {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: ct_error())
    reset()
  }

  deinit {
    for buffer in [message, type, location] { buffer.deallocate() }
    pointer.deallocate()
  }

  /// Makes it ready for the next call.
  func reset() {
    // What one job said must not be there for the next.
    for buffer in [message, type, location] where buffer[0] != 0 { buffer.update(repeating: 0) }
    var error = ct_error()
    error.struct_size = UInt32(MemoryLayout<ct_error>.size)
    error.message = lent(message)
    error.type = lent(type)
    error.where = lent(location)
    pointer.pointee = error
  }

  /// What the last call said. A status that no `ct_status` names is a bug of the plugin, and so is success with a
  /// result that cannot be one.
  func result(_ status: ct_status, output: CurrentJob.Output = .nothing) -> HostResult {
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
    var message = text(in: message, error.message.len)
    if message.isEmpty { message = silence ?? "gave no message" }
    let type = text(in: type, error.type.len)
    return HostResult(
      status: meaning, output: nil,
      error: HostError(
        message: message, type: type.isEmpty ? "\(meaning)" : type, location: text(in: location, error.where.len),
        code: error.code),
      retryAfterMilliseconds: meaning == .retry && error.retry_after_ms > 0 ? error.retry_after_ms : nil)
  }

  private func text(in buffer: Buffer, _ count: UInt32) -> String {
    var count = min(Int(count), buffer.count)
    // Authors of C count the NUL at the end, or all of the buffer.
    while count > 0, buffer[count - 1] == 0 { count -= 1 }
    return ct_str(ptr: buffer.baseAddress, len: count).text(limit: count)
  }

  private func lent(_ buffer: Buffer) -> ct_buffer {
    ct_buffer(ptr: buffer.baseAddress, cap: UInt32(buffer.count), len: 0)
  }
}

private func makeBuffer(_ capacity: Int) -> UnsafeMutableBufferPointer<CChar> {
  let memory = UnsafeMutableBufferPointer<CChar>.allocate(capacity: capacity)
  memory.initialize(repeating: 0)
  return memory
}
