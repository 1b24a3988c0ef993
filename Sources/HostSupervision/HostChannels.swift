import CHostProcess
import Glibc

/// The descriptors between parent and child. All are close-on-exec and above those the child gets them as, so that
/// placing one cannot close another.
struct HostChannels {
  /// The parent's ends: nonblocking.
  let jobs: Int32
  let control: Int32
  let standardError: Int32
  /// The child's ends.
  private let childJobs: Int32
  private let childControl: Int32
  private let childStandardError: Int32

  init() throws(HostSpawnError) {
    var open: [Int32] = []
    do throws(HostSpawnError) {
      for _ in 0..<2 { open += try liftedPair { socketpair(AF_UNIX, socketType, 0, $0) } }
      open += try liftedPair { host_pipe($0) }
      for parentEnd in [open[0], open[2], open[4]] {
        guard fcntl(parentEnd, F_SETFL, fcntl(parentEnd, F_GETFL) | O_NONBLOCK) == 0 else {
          throw HostSpawnError(operation: "cannot prepare a channel to a plugin's process", errno: errno)
        }
      }
    } catch {
      for descriptor in open { close(descriptor) }
      throw error
    }
    (jobs, childJobs, control, childControl) = (open[0], open[1], open[2], open[3])
    (standardError, childStandardError) = (open[4], open[5])
  }

  /// Puts the child's ends where it expects them, and nothing else.
  func place(_ actions: inout posix_spawn_file_actions_t) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    // A plugin that prints must not write into the output of a command line tool.
    posix_spawn_file_actions_adddup2(&actions, childStandardError, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, childStandardError, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, childJobs, 3)
    posix_spawn_file_actions_adddup2(&actions, childControl, 4)
    // Against descriptors of libraries that do not set close-on-exec.
    host_close_from(&actions, 5)
  }

  func closeChildEnds() {
    for descriptor in [childJobs, childControl, childStandardError] { close(descriptor) }
  }

  func closeParentEnds() {
    for descriptor in [jobs, control, standardError] { close(descriptor) }
  }
}

private let socketType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

/// For a socket pair: parent's end, child's end. For a pipe: reading end, writing end.
private func liftedPair(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws(HostSpawnError) -> [Int32] {
  var pair: [Int32] = [-1, -1]
  let failed = pair.withUnsafeMutableBufferPointer { $0.baseAddress.map(make) ?? -1 } != 0
  guard !failed else {
    throw HostSpawnError(operation: "cannot open a channel to a plugin's process", errno: errno)
  }
  for index in 0..<2 where pair[index] < 16 {
    let lifted = fcntl(pair[index], F_DUPFD_CLOEXEC, 16)
    guard lifted >= 0 else {
      let reason = errno
      for descriptor in pair { close(descriptor) }
      throw HostSpawnError(operation: "cannot open a channel to a plugin's process", errno: reason)
    }
    close(pair[index])
    pair[index] = lifted
  }
  return pair
}
