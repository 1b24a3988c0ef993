internal import CAcceptLimit
internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// How many files and connections this process may have open: a connected worker costs four, a client one.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one, as a server should: the soft one is low for programs that use select(2).
  /// - Returns: the limit from now on.
  @discardableResult
  public static func raise() -> Int {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 0 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = min(limit.rlim_max, 1 << 20)
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many descriptors too many this process has open: some must stay free, for what cannot go on without one (a store's
  /// file, a child's pipe, the runtime's own looks at its threads, which end the process where they fail).
  public static func excess() -> Int {
    let most = current
    return most == 0 ? 0 : max(0, lowestFree(below: most) - (most - reserve(of: most)))
  }

  /// The limit below which a program cannot do its work; nil where the present one is enough.
  /// - Parameters:
  ///   - own: descriptors that it opens before anybody has connected.
  ///   - servesMany: anybody may connect, rather than one coordinator.
  public static func missing(own: Int, servesMany: Bool) -> (limit: Int, needed: Int)? {
    let most = current
    guard most > 0 else { return nil }
    let needed = needed(own: lowestFree(below: most) + own, servesMany: servesMany)
    return needed > most ? (most, needed) : nil
  }

  static func needed(own: Int, servesMany: Bool) -> Int {
    // One connected worker, or a few clients.
    let least = own + 4
    return (least...least + 2_048).first { least + (servesMany ? reserve(of: $0) : last(of: $0)) <= $0 } ?? least
  }

  /// Shuts out whoever connects where all but the last descriptors are taken, for as long as the process lives, whichever
  /// part of it accepts. Connections come faster than `excess` can be looked at.
  /// - Parameter refused: called for each that is shut out, on any thread; must not block.
  public static func keepLastFree(refused: @escaping @Sendable () -> Void) {
    let most = current
    guard most > 0 else { return }
    whenRefused.withLock { $0 = refused }
    accept_below(Int32(clamping: most - last(of: most))) { DescriptorLimit.whenRefused.withLock { $0 }?() }
  }

  private static let whenRefused = Mutex<(@Sendable () -> Void)?>(nil)
  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  private static var current: Int {
    var limit = rlimit()
    return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : 0
  }

  /// The kernel gives the lowest one that is free: all below it are taken.
  private static func lowestFree(below limit: Int) -> Int {
    let lowest = eventfd(0, Int32(EFD_CLOEXEC))
    if lowest >= 0 { close(lowest) }
    return lowest < 0 ? limit : Int(lowest)
  }

  /// Never given to a connection.
  private static func last(of limit: Int) -> Int { limit < 256 ? 8 : 32 }

  /// A web page in the same process may have its share of connections at any time (`WebLimits`).
  static func reserve(of limit: Int) -> Int {
    last(of: limit) + 4 + min(512, max(8, limit / (limit < 256 ? 8 : 3)))
  }
}
