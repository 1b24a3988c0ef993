internal import Glibc

/// Lines of a file or a pipe, numbered from 1, as they come. Holds one line and what was read with it, no more.
struct LineReader {
  enum Next {
    case line(number: Int, bytes: [UInt8])
    /// It is longer than is taken; passed over.
    case tooLong(number: Int)
    /// Nothing came within the time.
    case nothing
    case end
  }

  private let descriptor: Int32
  private let limit: Int
  private var buffer: [UInt8] = []
  /// Where the next line begins in `buffer`, and up to where there is no line break.
  private var start = 0
  private var searched = 0
  private var isOver = false
  private var isPassingOver = false
  private(set) var number = 0
  /// Of all that was read.
  private(set) var bytesRead = 0

  /// - Parameter limit: bytes of a line.
  init(_ descriptor: Int32, limit: Int) {
    self.descriptor = descriptor
    self.limit = limit
  }

  /// - Throws: where the file cannot be read.
  mutating func next(withinMilliseconds timeout: Int32) throws(CommandFailure) -> Next {
    while true {
      if let next = buffered() { return next }
      if isOver { return lastLine() }
      guard try fill(withinMilliseconds: timeout) else { return .nothing }
    }
  }

  private mutating func buffered() -> Next? {
    if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = Array(buffer[start..<end])
      (start, searched) = (end + 1, end + 1)
      number += 1
      defer { isPassingOver = false }
      return isPassingOver || line.count > limit ? .tooLong(number: number) : .line(number: number, bytes: line)
    }
    searched = buffer.count
    if buffer.count - start > limit {
      isPassingOver = true
      buffer.removeAll(keepingCapacity: true)
      (start, searched) = (0, 0)
    }
    return nil
  }

  /// One that no line break ends.
  private mutating func lastLine() -> Next {
    let rest = Array(buffer[start...])
    buffer = []
    (start, searched) = (0, 0)
    defer { isPassingOver = false }
    guard !rest.isEmpty || isPassingOver else { return .end }
    number += 1
    return isPassingOver ? .tooLong(number: number) : .line(number: number, bytes: rest)
  }

  /// - Returns: false where nothing came in time.
  private mutating func fill(withinMilliseconds timeout: Int32) throws(CommandFailure) -> Bool {
    if start > 0 {
      buffer.removeFirst(start)
      (start, searched) = (0, searched - start)
    }
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&polled, 1, timeout) > 0 else { return false }
    var part = [UInt8](repeating: 0, count: 256 << 10)
    let count = Glibc.read(descriptor, &part, part.count)
    if count > 0 {
      buffer += part[..<count]
      bytesRead += count
    } else if count == 0 {
      isOver = true
    } else if errno != EINTR, errno != EAGAIN {
      throw CommandFailure(.noInput, "the jobs cannot be read any further: \(String(cString: strerror(errno)))")
    }
    return true
  }
}
