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
    return errno == ENOENT
      ? "\(operation): \(reason); is it installed beside carbontube, or named by CARBONTUBE_PLUGIN_HOST?"
      : "\(operation): \(reason)"
  }
}
