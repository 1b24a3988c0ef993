internal import Glibc

/// gdb on a child, at this command's terminal. Whoever uses it says when the child goes on.
struct Debugger {
  private let process: pid_t

  /// - Returns: once gdb has stopped the child.
  init(attachedTo child: Int32) throws(CommandFailure) {
    let words = ["gdb", "-q", "-p", String(child)]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let failed = posix_spawnp(&process, "gdb", nil, nil, &arguments, environ)
    guard failed == 0 else {
      throw CommandFailure(.unavailable, "--gdb: gdb cannot be started: \(String(cString: strerror(failed)))")
    }
    self.process = process
    // Ctrl-C is for gdb, which shares this terminal.
    signal(SIGINT, SIG_IGN)
    while !Self.isTraced(child) {
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == 0 else {
        throw CommandFailure(
          .denied, "--gdb: gdb may not attach to process \(child); see kernel.yama.ptrace_scope in docs/debugging.md")
      }
      // Nothing tells of it but /proc.
      poll(nil, 0, 10)
    }
  }

  /// The terminal is gdb's until then.
  func awaitEnd() {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }

  private static func isTraced(_ process: Int32) -> Bool {
    guard let file = fopen("/proc/\(process)/status", "re") else { return false }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if text.hasPrefix("TracerPid:") { return !text.hasSuffix("\t0\n") }
    }
    return false
  }
}
