internal import CZeroMQ
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

  /// How many descriptors too many this process has open: some must stay free, for what cannot go on without one (a store's
  /// file, a child's pipe, the runtime's own looks at its threads, which end the process where they fail).
  public static func excess() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let most = Int(clamping: limit.rlim_cur)
    // The kernel gives the lowest one that is free: all below it are taken.
    let lowestFree = eventfd(0, Int32(EFD_CLOEXEC))
    if lowestFree >= 0 { close(lowestFree) }
    return max(0, (lowestFree < 0 ? most : Int(lowestFree)) - (most - reserve(of: most)))
  }

  /// A web page in the same process may open a third of the limit, 512 at most, at any time.
  private static func reserve(of limit: Int) -> Int { limit < 256 ? 8 : min(limit * 3 / 8, 600) }
}
