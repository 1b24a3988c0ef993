internal import Glibc

/// How many files and connections this process may have open: a connected worker costs four, a client one.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one, as a server should: the soft one is low for programs that use select(2).
  /// - Returns: the limit from now on.
  @discardableResult
  public static func raise() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = min(limit.rlim_max, 1 << 20)
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }
}
