import Glibc

/// No child could be started. Nothing is left behind.
public struct HostSpawnError: Error, Hashable, CustomStringConvertible {
  /// What was being done when it failed, with the program's path where that matters.
  public let operation: String
  public let errno: Int32

  public init(operation: String, errno: Int32) {
    self.operation = operation
    self.errno = errno
  }

  public var description: String {
    let reason = String(cString: strerror(errno))
    return switch errno {
    case ENOENT: "\(operation): \(reason); is it beside this program or in PATH, or named by CARBONTUBE_PLUGIN_HOST?"
    case EACCES: "\(operation): \(reason); is it a program that this user may run, on a disk that allows it?"
    case EMFILE, ENFILE: "\(operation): \(reason); raise the limit of open files (ulimit -n)"
    case EAGAIN, ENOMEM: "\(operation): \(reason); is there a limit of processes or memory for this user?"
    default: "\(operation): \(reason)"
    }
  }
}
