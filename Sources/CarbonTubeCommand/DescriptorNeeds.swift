internal import Glibc
internal import Logging
internal import PipelineModel
internal import Synchronization
internal import ZeroMQTransport

/// What a command that serves others needs of the limit of open files (`ulimit -n`), as measured.
enum DescriptorNeeds {
  static let coordinator = 30
  /// Each thread of the HTTP server, one per processor, has three.
  static var web: Int { 20 + 3 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
  /// A pipeline that a page asks.
  static let askedPipeline = 6
  /// A process that serves a folder, with one pipeline.
  static let worker = 23
  /// Another address where it meets pipelines, and a pipeline that it finds there.
  static let furtherPipeline = 6
  /// Each phase that it serves, without its children.
  static let service = 1
  static let child = 4

  /// Raises the limit as far as may be, and refuses where that is not enough.
  /// - Parameters:
  ///   - own: descriptors that `what` opens before anybody has connected.
  ///   - servesMany: anybody may connect, rather than one coordinator.
  /// - Returns: the limit from now on.
  @discardableResult
  static func provide(_ own: Int, for what: String, servesMany: Bool = true) throws(CommandFailure) -> Int {
    let limit = DescriptorLimit.raise()
    guard let missing = DescriptorLimit.missing(own: own, servesMany: servesMany) else { return limit }
    throw CommandFailure(
      .configuration,
      "\(what) needs at least \(missing.needed) open files, and the limit is \(missing.limit): raise it with "
        + "ulimit -n \(missing.needed), or have the hard limit raised (limits.conf(5), LimitNOFILE of systemd)")
  }

  /// Shuts connections out before they have taken the last descriptors, and says so once a minute.
  static func guardConnections(_ logger: Logger) {
    let saidAt = Mutex<Instant?>(nil)
    DescriptorLimit.keepLastFree {
      let now = Clocks.system.instant()
      let isDue = saidAt.withLock { saidAt in
        if let last = saidAt, now - last < 60_000 { return false }
        saidAt = now
        return true
      }
      if isDue { logger.error("too many connections: new ones are refused; raise the limit of open files (ulimit -n)") }
    }
  }
}
