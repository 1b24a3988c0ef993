internal import Glibc
internal import Synchronization

/// A program of the author's machine (a compiler, make), run to its end.
enum BuildTool {
  /// The one that runs; 0: none.
  private static let running = Atomic<pid_t>(0)

  /// Asks the one that runs to end, as Ctrl-C does.
  static func interrupt() {
    let process = running.load(ordering: .acquiring)
    if process > 0 { kill(process, SIGINT) }
  }

  /// With our standard streams, its output on stderr.
  static func run(_ words: [String], in folder: String) throws(CommandFailure) {
    try finish(try start(words, in: folder, output: STDERR_FILENO), words)
  }

  /// - Returns: what it printed on stdout.
  static func output(of words: [String], in folder: String) throws(CommandFailure) -> [UInt8] {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw failure(words, errno) }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let started: Result<pid_t, CommandFailure> = Result { () throws(CommandFailure) in
      try start(words, in: folder, output: ends[1])
    }
    close(ends[1])
    let process = try started.get()
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(ends[0], &block, block.count), count > 0 || (count < 0 && errno == EINTR) {
      bytes.append(contentsOf: block.prefix(max(0, count)))
    }
    try finish(process, words)
    return bytes
  }

  /// By way of the shell, which changes the folder and replaces itself: posix_spawn does so only as an extension of
  /// glibc that Swift does not see.
  private static func start(_ words: [String], in folder: String, output: Int32) throws(CommandFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    let line = ["/bin/sh", "-c", #"cd -- "$0" && exec "$@""#, folder] + words
    var arguments: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let failed = posix_spawn(&process, line[0], &actions, nil, &arguments, environ)
    guard failed == 0 else { throw failure(words, failed) }
    return process
  }

  /// 127 is the shell's word for a program that is not there.
  private static func finish(_ process: pid_t, _ words: [String]) throws(CommandFailure) {
    var status: Int32 = 0
    running.store(process, ordering: .releasing)
    defer { running.store(0, ordering: .releasing) }
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw failure(words, errno) }
    }
    guard status >> 8 != 127 else {
      throw CommandFailure(.unavailable, "\(words[0]) is not installed, or not on PATH")
    }
    guard status == 0 else {
      throw CommandFailure(.data, "\(words.prefix(2).joined(separator: " ")) failed; its words above say why")
    }
  }

  private static func failure(_ words: [String], _ error: Int32) -> CommandFailure {
    CommandFailure(.unavailable, "\(words[0]) cannot be started: \(String(cString: strerror(error)))")
  }
}
