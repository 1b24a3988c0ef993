import Glibc
import HostProtocol

/// Blocking reads of frames from one of the parent's channels. For one thread.
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
      let count = read(descriptor, block.baseAddress, block.count)
      if count > 0 {
        frames.append(UnsafeRawBufferPointer(rebasing: block[..<count]))
      } else if count == 0 || errno != EINTR {
        return nil
      }
    }
  }
}
