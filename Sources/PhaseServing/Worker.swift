internal import DequeModule
internal import Glibc
internal import HostProtocol
internal import HostSupervision
internal import Logging
internal import PipelineModel
internal import PluginCatalog
internal import WireProtocol
internal import ZeroMQTransport

/// The event loop of one worker: owns the sockets and the children, loads no plugin. One thread; nothing blocks but
/// the poll, so heartbeats go out however long a job runs.
final class Worker {
  enum Stage: Equatable {
    case serving
    /// Takes nothing new; what runs may go on until then.
    case draining(until: Timestamp)
    /// Everything was given back; leaves at the latest then.
    case leaving(by: Timestamp)
  }

  /// What the threads outside ask for.
  enum Wish: Int, Comparable {
    case serve, drain, stop
    static func < (left: Wish, right: Wish) -> Bool { left.rawValue < right.rawValue }
  }

  let settings: PhaseServerSettings
  let id: WorkerID
  let hostName: String
  let plugin: String
  let pluginFile: String
  let build: String
  private let lease: StagedPluginLease
  let context: SocketContext
  let events: Socket
  let orders: Socket
  let pullAddress: String
  let control: WorkerControl
  let slots: [HostSlot]

  var results: Socket?
  var resultsAddress: String?
  var coordinator: String?
  var maximumInstructionsBytes = 4 << 20
  var backlog: Deque<Assignment> = []
  var outbox = Outbox()
  var stage = Stage.serving
  var succeeded = 0
  var failed = 0
  var hasSubscriber = false
  /// Nothing is run while it is there.
  var quarantine: Quarantine.Record?
  var lookForQuarantineAt = Timestamp(milliseconds: 0)
  var announceAt = Timestamp(milliseconds: 0)
  /// Moving average of a run's length in microseconds; short runs are given to a child several at a time.
  var meanDuration: Double?
  let poller = Poller()
  /// What the poller watches of each slot's child.
  var watches: [HostWatch]
  private var lookAtAllAt = Timestamp(milliseconds: 0)
  private var complaints = 0

  /// What the poller calls what it watches; children come after these, two descriptors each.
  enum PollKey {
    static let wake = 0
    static let orders = 1
    static let events = 2
    static let results = 3
    static let hosts = 4
  }

  /// - Parameter staged: the content-addressed copy of the plugin.
  init(
    settings: PhaseServerSettings, id: WorkerID, staged: StagedPlugin, control: WorkerControl
  ) throws(TransportError) {
    self.settings = settings
    self.id = id
    self.control = control
    hostName = Self.nameOfThisMachine()
    build = staged.sha256
    lease = StagedPluginLease(path: staged.path)
    plugin = String(staged.sha256.prefix(12))
    pluginFile = settings.library.split(separator: "/").last.map(String.init) ?? settings.library
    context = try SocketContext()
    events = try Socket(.publish, in: context, lingerMilliseconds: 500)
    orders = try Socket(.pull, in: context)
    pullAddress = try orders.bind(settings.pullAddress)
    try events.connect(settings.eventsAddress)
    let configuration = PluginHostConfiguration(
      library: staged.path, role: .phase(jobType: settings.jobType), limits: settings.limits)
    slots = (0..<settings.concurrency).map { _ in HostSlot(configuration) }
    watches = slots.indices.map { HostWatch(keys: (PollKey.hosts + 2 * $0, PollKey.hosts + 2 * $0 + 1)) }
  }

  static func nameOfThisMachine() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  var logger: Logger { settings.logger }

  func run() {
    poller.add(fileDescriptor: control.wake.fileDescriptor, as: PollKey.wake)
    poller.add(orders, as: PollKey.orders)
    poller.add(events, as: PollKey.events)
    while !isDone {
      step(now: .now())
      poller.wait(timeoutMilliseconds: Int(timeout(now: .now())))
    }
    announceGoodbye()
    for slot in slots { slot.host?.kill() }
  }

  private func step(now: Timestamp) {
    let ready = poller.ready
    if ready.contains(PollKey.wake) { control.wake.clear() }
    followWishes(now: now)
    if ready.contains(PollKey.events) { readSubscriptions() }
    if ready.contains(PollKey.orders) { readOrders(now: now) }
    if ready.contains(PollKey.results) { readAcknowledgements() }
    for slot in slotsToAttend(ready, now: now) { attend(slots[slot], now: now) }
    giveOut(now: now)
    for slot in slots.indices { watches[slot].follow(slots[slot].host, in: poller) }
    sendReports(now: now)
    announceIfDue(now: now)
  }

  /// Those that something came from; now and then all, for their deadlines and for children to be started.
  private func slotsToAttend(_ ready: [Int], now: Timestamp) -> [Int] {
    guard now >= lookAtAllAt || lookAtAllAt - now > lookAtAllEvery else {
      return ready.compactMap { $0 < PollKey.hosts ? nil : ($0 - PollKey.hosts) / 2 }
    }
    lookAtAllAt = now + lookAtAllEvery
    heedQuarantine(now: now)
    outbox.expire(now: now)
    for slot in slots { slot.startIfNeeded(now: now) }
    return Array(slots.indices)
  }

  /// In milliseconds. Hundreds of workers with nothing to do must not keep a machine busy.
  private var lookAtAllEvery: Int64 { isWaitingForWork ? 1_000 : 100 }

  private var isWaitingForWork: Bool {
    stage == .serving && quarantine == nil && backlog.isEmpty && outbox.isEmpty
      && slots.allSatisfy { $0.isReady && $0.runs.isEmpty }
  }

  private func timeout(now: Timestamp) -> Int64 {
    min(max(0, min(announceAt, lookAtAllAt) - now), lookAtAllEvery)
  }

  // MARK: - Leaving

  private func followWishes(now: Timestamp) {
    switch (control.wish, stage) {
    case (.drain, .serving):
      logger.notice("draining: finishing what runs, taking nothing new")
      stage = .draining(until: now + settings.drainMilliseconds)
      giveBackBacklog()
      announceAt = now
    case (.stop, .serving), (.stop, .draining): giveBackEverything(now: now)
    case (_, .draining(let until)) where now >= until:
      logger.warning("the time to drain is over: giving back what runs")
      giveBackEverything(now: now)
    default: break
    }
  }

  func drainOnOrder(now: Timestamp) {
    guard stage == .serving else { return }
    stage = .draining(until: now + settings.drainMilliseconds)
    giveBackBacklog()
    announceAt = now
  }

  func giveBackBacklog() {
    while let assignment = backlog.popFirst() { handBack(assignment) }
  }

  func handBack(_ assignment: Assignment) {
    outbox.add(
      AttemptReport(
        job: assignment.order.job, token: assignment.order.token, outcome: .handedBack,
        startedAt: Timestamp(milliseconds: 0), durationMicroseconds: 0, hasInstructions: false, plugin: plugin),
      instructions: nil, pipeline: assignment.pipeline)
  }

  private func giveBackEverything(now: Timestamp) {
    stage = .leaving(by: now + 2_000)
    giveBackBacklog()
    for slot in slots {
      slot.end(.handBack, killAt: now)
      slot.killIfOverdue(now: now)
    }
    announceAt = now
  }

  private var isDone: Bool {
    let isIdle = backlog.isEmpty && slots.allSatisfy { $0.runs.isEmpty } && outbox.isEmpty
    switch stage {
    case .serving: return false
    case .draining: return isIdle
    case .leaving(let by): return isIdle || Timestamp.now() >= by
    }
  }

  private func announceGoodbye() {
    _ = events.send([Goodbye(worker: id, reason: "it was told to stop").encoded()])
  }

  /// One line for the first few messages that make no sense; a count would not help whoever reads this log.
  func complain(_ error: WireError) {
    complaints += 1
    if complaints <= 10 { logger.warning("ignored a message: \(error.message)") }
  }
}
