import CPhaseABI
import HostProtocol
import Testing

@testable import PhaseHosting

/// A plugin may write anything into the error that it was lent.
@Suite struct CallErrorTests {
  private let error = CallError()

  private func write(_ text: String, into buffer: ct_buffer) {
    for (index, byte) in text.utf8.enumerated() { buffer.ptr[index] = CChar(bitPattern: byte) }
  }

  private func message(_ status: Int) -> String? { error.result(ct_status(status)).error?.message }

  @Test func `A length and a room beyond the buffer read nothing beyond it`() {
    write("short", into: error.pointer.pointee.message)
    error.pointer.pointee.message.cap = .max
    error.pointer.pointee.message.len = .max
    #expect(message(1) == "short")
  }

  @Test func `A buffer that was exchanged is neither read nor lent again`() {
    error.pointer.pointee.message = ct_buffer(ptr: nil, cap: 100, len: 100)
    #expect(message(1) == "gave no message")
    error.reset()
    #expect(error.pointer.pointee.message.ptr != nil)
    #expect(error.pointer.pointee.message.cap == 8_192)
  }

  @Test func `A NUL at the end is no part of the text`() {
    write("no\0", into: error.pointer.pointee.message)
    error.pointer.pointee.message.len = 3
    #expect(message(2) == "no")
  }

  @Test func `What one job said is not there for the next`() {
    write("the password is x", into: error.pointer.pointee.message)
    error.pointer.pointee.message.len = 17
    #expect(message(1) == "the password is x")
    error.reset()
    error.pointer.pointee.message.len = 17
    #expect(message(1) == "gave no message")
  }
}
