import Glibc
import HostProtocol

/// Blocking reads of frames from one of the parent's channels, a socket. For one thread.
struct FrameStream: ~Copyable {
  private let descriptor: Int32
  private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  private var frames = FrameBuffer()

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit { block.deallocate() }

  /// Waits for the next frame; nil at the end of the channel.
  mutating func next() throws(FrameError) -> FrameBody? {
    while true {
      if let frame = try frames.next() { return frame }
      let count = recv(descriptor, block.baseAddress, block.count, Int32(MSG_DONTWAIT))
      if count > 0 {
        frames.append(UnsafeRawBufferPointer(rebasing: block[..<count]))
      } else if count == 0 {
        return nil
      } else if errno == EAGAIN {
        waitForBytes()
      } else if errno != EINTR {
        return nil
      }
    }
  }

  /// A thread that sleeps in `recv` is woken by the peer's reading as well, since room to write has come (unix(7) has one
  /// queue for both); one that sleeps in `poll` is woken by what it asked for alone.
  private func waitForBytes() {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    poll(&polled, 1, -1)
  }
}
