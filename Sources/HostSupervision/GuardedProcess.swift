import CHostProcess
import Glibc

/// The guard of one child (host_process.h): what the parent spawned, waits for, and gives its orders to. It ends as the
/// child ended, and only when nothing that the child has started is left.
struct GuardedProcess {
  let processID: Int32
  /// Readable once it has ended.
  let descriptor: Int32

  /// - Parameter processID: a child of this process that nobody else waits for.
  /// - Throws: where the kernel cannot tell of its end; then it is left as it is.
  init(_ processID: Int32) throws(HostSpawnError) {
    let descriptor = host_open_process(processID)
    guard descriptor >= 0 else {
      throw HostSpawnError(operation: "cannot watch a plugin's process (pidfd_open; needs Linux 5.4)", errno: errno)
    }
    self.processID = processID
    self.descriptor = descriptor
  }

  /// One system call.
  var hasEnded: Bool { host_has_ended(descriptor, 0) != 0 }

  func give(_ order: host_order) { host_give_order(processID, order) }

  /// Blocks until it has ended.
  /// - Returns: its wait status; nil where somebody else has waited for it.
  func reap() -> Int32? { GuardedProcess.reap(processID) }

  static func reap(_ processID: Int32) -> Int32? {
    var status: Int32 = 0
    var reaped = waitpid(processID, &status, 0)
    while reaped < 0, errno == EINTR { reaped = waitpid(processID, &status, 0) }
    return reaped == processID ? status : nil
  }

  /// The process that holds the plugin; nil before it is there and after it has ended.
  var childProcessID: Int32? {
    var child: pid_t = 0
    return host_children(processID, &child, 1) == 1 ? child : nil
  }
}
