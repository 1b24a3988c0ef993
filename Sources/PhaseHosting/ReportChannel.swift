import Glibc
import HostProtocol
import Synchronization

/// The way to the parent. Any thread may send; a frame is never torn by another.
final class ReportChannel: Sendable {
  private let descriptor: Mutex<Int32>

  init(descriptor: Int32) {
    self.descriptor = Mutex(descriptor)
  }

  /// Blocks while the parent is slow, so a phase that floods its log is slowed down instead of filling memory.
  /// Ends the process where the parent is gone: there is nobody left to work for.
  func send(_ report: HostReport) {
    let frame = report.encoded()
    descriptor.withLock { descriptor in
      frame.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
          let written = Glibc.send(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, flags)
          if written > 0 {
            rest = rest.dropFirst(written)
          } else if errno != EINTR {
            _exit(HostExitCode.channelBroken)
          }
        }
      }
    }
  }

  private var flags: Int32 { Int32(MSG_NOSIGNAL) }
}
