internal import Glibc
internal import PipelineModel
internal import Synchronization

/// Whole lines, written at once: what tests and scripts wait for must not stay in a buffer.
enum StandardStreams {
  /// The first error of writing to either; kept, since whoever wrote could only give up.
  struct Failure: Sendable {
    var stream: String
    var code: Int32

    /// Nobody reads any more, as behind `| head`: there is nobody to tell, and nothing that was wanted is lost.
    var isSilent: Bool { code == EPIPE }
    var message: String { "cannot write to \(stream): \(String(cString: strerror(code)))" }
  }

  private static let firstFailure = Mutex<Failure?>(nil)

  /// Nil while everything that was to be written could be.
  static var failure: Failure? {
    guard let failure = firstFailure.withLock({ $0 }), !failure.isSilent else { return nil }
    return failure
  }

  /// Whoever read stdout has left: there is no use in going on.
  static var nobodyReads: Bool { firstFailure.withLock { $0?.isSilent == true } }

  /// Before anything is opened: a stream that is closed must not become a socket or a database that lines are written
  /// into. To read or write it stays an error, but for stderr, which has nobody to tell.
  static func keepPlaces() {
    for (stream, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
    where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", mode)
    }
  }

  /// A line on stdout. Words from outside in it cannot steer the terminal.
  static func say(_ line: String) { write(line.escapingControlCharacters + "\n", to: STDOUT_FILENO) }
  /// A JSON document: byte for byte for a program, the same value for whoever looks at a terminal.
  static func sayJSON(_ text: String) { sayVerbatim(shownJSON(text)) }
  static func shownJSON(_ text: String) -> String { outputIsTerminal ? JSONText.shown(Array(text.utf8)) : text }
  /// As it is: of several lines.
  static func sayVerbatim(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
  /// A line on stderr, as `say`.
  static func complain(_ line: String) { write(complaint(line).escapingControlCharacters + "\n", to: STDERR_FILENO) }

  /// In the form that was chosen for log lines.
  static func complaint(_ line: String) -> String {
    guard LogFormat.current == .json else { return line }
    let message = line.hasPrefix("carbontube: ") ? String(line.dropFirst(12)) : line
    return LogFormat.json.line(at: .now(), level: "error", logger: "carbontube", message: message, [:])
  }

  static func complainVerbatim(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
  static func draw(_ text: String) { write(text, to: STDERR_FILENO) }
  /// On the terminal that is stdout, as it is.
  static func paint(_ text: String) { write(text, to: STDOUT_FILENO) }

  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Columns of the terminal on `descriptor`; 80 where it is none.
  static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Rows of the terminal on `descriptor`; 24 where it is none.
  static func rows(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    let code = writeAll(Array(text.utf8), to: descriptor)
    guard code != 0 else { return }
    let failure = Failure(stream: descriptor == STDOUT_FILENO ? "stdout" : "stderr", code: code)
    firstFailure.withLock { present in
      // A full disk says more than a reader that has left.
      if present == nil || present?.isSilent == true { present = failure }
    }
  }
}

/// Blocks until all is written.
/// - Returns: 0, or `errno` of the write that failed.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if count < 0, errno == EAGAIN {
      // Whoever shares the pipe made it non-blocking.
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&waiting, 1, -1)
    } else if count == 0 || errno != EINTR {
      return count == 0 ? EIO : errno
    }
  }
  return 0
}
