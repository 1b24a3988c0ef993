import Glibc

/// Frames on their way into a nonblocking socket.
struct OutgoingBytes {
  private var bytes: [UInt8] = []
  private var start = 0

  var isEmpty: Bool { start == bytes.count }

  mutating func append(_ frame: [UInt8]) {
    if isEmpty {
      bytes = frame
      start = 0
    } else {
      bytes.append(contentsOf: frame)
    }
  }

  /// Writes what the socket takes now. Where the other side is gone the bytes are dropped: the reading side learns it.
  mutating func flush(into socket: Int32) {
    guard !isEmpty else { return }
    while !isEmpty {
      let written = bytes.withUnsafeBytes { all in
        let rest = UnsafeRawBufferPointer(rebasing: all[start...])
        return send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      if written > 0 {
        start += written
      } else if errno == EAGAIN {
        return
      } else if errno != EINTR {
        break
      }
    }
    bytes = []
    start = 0
  }
}
