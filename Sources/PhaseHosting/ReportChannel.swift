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

/// Codes of children that end by themselves; the parent goes by the reports, people by these.
enum HostExitCode {
  static let done: Int32 = 0
  static let refused: Int32 = 3
  static let misused: Int32 = 64
  static let channelBroken: Int32 = 74
}
