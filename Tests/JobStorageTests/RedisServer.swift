import Glibc

/// A real redis-server on a unix socket in a temporary folder of its own; it keeps nothing on disk.
struct RedisServer: Sendable {
  /// Path of the socket.
  let socket: String

  /// One server for the whole test process; tests keep apart by the names of their pipelines.
  static func shared() throws(RedisServerError) -> RedisServer { try started.get() }

  private static let started = Result { () throws(RedisServerError) in try start() }

  /// The server ends with the test process, however that ends: a shell waits for the end of a pipe that only this
  /// process holds open, then kills the server and removes its folder.
  private static let script = """
    exec 3<&0
    /usr/bin/redis-server --port 0 --unixsocket "$0/redis.sock" --dir "$0" --save "" --appendonly no </dev/null &
    cat <&3 >/dev/null
    kill -9 $!
    rm -rf "$0"
    """

  /// Starts another server, for tests that do to it what the others would not survive.
  static func start() throws(RedisServerError) -> RedisServer {
    var template = Array("/tmp/carbontube-redis-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RedisServerError(message: "no temporary folder: errno \(errno)") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let life = try closedOnExec()
    let output = try closedOnExec()
    try spawn(["/bin/sh", "-c", script, folder], input: life.read, output: output.write)
    _ = close(life.read)
    _ = close(output.write)
    defer { _ = close(output.read) }
    try awaitReadiness(output.read)
    return RedisServer(socket: "\(folder)/redis.sock")
  }

  private static func closedOnExec() throws(RedisServerError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 })
    else {
      throw RedisServerError(message: "no pipe: errno \(errno)")
    }
    return (ends[0], ends[1])
  }

  /// In a process group of its own: a Ctrl-C for the tests must not end the shell before it has cleaned up.
  private static func spawn(_ words: [String], input: Int32, output: Int32) throws(RedisServerError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, words[0], &actions, &attributes, &arguments, environ)
    guard failure == 0 else { throw RedisServerError(message: "cannot start \(words[0]): errno \(failure)") }
  }

  /// The server's own word that it accepts connections, or the end of its output.
  private static func awaitReadiness(_ output: Int32) throws(RedisServerError) {
    var said = ""
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while !said.contains("eady to accept connections") {
      let count = read(output, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0, !said.contains("not found") else {
        throw RedisServerError(message: "redis-server did not start: \(said)")
      }
      said += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }
}

struct RedisServerError: Error {
  let message: String
}
