import Glibc

/// Starts the child of `configuration` with its guard on the child's ends of `channels`.
///
/// - Parameter workFolder: the child's own.
func spawnGuarded(
  _ configuration: PluginHostConfiguration, workFolder: String?, on channels: HostChannels
) throws(HostSpawnError) -> GuardedProcess {
  let processID = try spawnHost(configuration, workFolder: workFolder, on: channels)
  do throws(HostSpawnError) {
    return try GuardedProcess(processID)
  } catch {
    Glibc.kill(processID, SIGKILL)
    _ = GuardedProcess.reap(processID)
    throw error
  }
}

/// Starts the guard of `configuration`'s child, which makes the child, on the child's ends of `channels`.
///
/// posix_spawn, because it costs the same however much memory this process has, and Foundation's Process polls for the
/// end of its children.
private func spawnHost(
  _ configuration: PluginHostConfiguration, workFolder: String?, on channels: HostChannels
) throws(HostSpawnError) -> Int32 {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  channels.place(&actions)

  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  setSignals(&attributes)
  // A group of its own: an interrupt typed at a terminal drains the worker and must not kill its children.
  posix_spawnattr_setpgroup(&attributes, 0)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

  var processID: pid_t = 0
  let failure = withCStrings(configuration.arguments(workFolder: workFolder)) { arguments in
    withCStrings(configuration.environmentWords) { environment in
      posix_spawn(&processID, configuration.executable, &actions, &attributes, arguments, environment)
    }
  }
  guard failure == 0 else {
    throw HostSpawnError(operation: "cannot start \(configuration.executable)", errno: failure)
  }
  return processID
}

/// The child starts as from a shell, whatever this process blocks or ignores.
private func setSignals(_ attributes: inout posix_spawnattr_t) {
  var none = sigset_t()
  sigemptyset(&none)
  posix_spawnattr_setsigmask(&attributes, &none)
  var all = sigset_t()
  sigfillset(&all)
  posix_spawnattr_setsigdefault(&attributes, &all)
}

private func withCStrings<Result>(
  _ words: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let copies = words.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  var list = copies + [nil]
  return list.withUnsafeMutableBufferPointer { buffer in
    guard let start = buffer.baseAddress else { preconditionFailure("a list with its end mark is never empty") }
    return body(start)
  }
}
