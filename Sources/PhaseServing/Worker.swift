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
    case draining(until: Instant)
    /// Everything was given back; leaves at the latest then.
    case leaving(by: Instant)
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
  let copy: StagedCopy
  let clocks: Clocks
  let context: SocketContext
  /// Tells this worker from one that had its id before.
  let instance = UInt64.random(in: 1 ... .max)
  let meetingPoints: [MeetingPoint]
  let control: WorkerControl
  let slots: [HostSlot]

  /// In the order in which they were found.
  var links: [CoordinatorLink] = []
  var linksMade = 0
  /// Runs of coordinators by address, as welcomed last.
  var coordinators: [String: String] = [:]
  /// Addresses that turned out to be of a coordinator that is served by another one, which is their value.
  var otherNames: [String: String] = [:]
  var ledger = CreditLedger()
  /// Something happened that the credits go by.
  var isCreditDue = false
  var serials: UInt64 = 0
  var stage = Stage.serving
  var succeeded = 0
  /// Jobs that were run, whatever became of them.
  var jobsEnded = 0
  var oneOff: OneOff
  var failed = 0
  /// What its jobs have counted and measured since it started.
  var measures = HostMeasures()
  /// Nothing is run while it is there.
  var quarantine: Quarantine.Record?
  var lookForQuarantineAt = Instant(milliseconds: .min)
  var helloAt = Instant(milliseconds: .min)
  /// As said last.
  var service = ServiceState(slots: [], isServing: true, quarantine: nil)
  var trouble = RareRemark()
  let poller = Poller()
  /// What the poller watches of each slot's child.
  var watches: [HostWatch]
  private var lookAtAllAt = Instant(milliseconds: .min)
  private var complaints = 0

  /// What the poller calls what it watches: two keys for each child and each link.
  enum PollKey {
    static let wake = 0
    static let hosts = 2
    static let meetings = 1 << 20
    static let links = 1 << 21
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
    clocks = settings.clocks
    oneOff = OneOff(
      maximumJobs: settings.maximumJobs, idleMilliseconds: settings.idleExitMilliseconds,
      endsWhenEmpty: settings.endsWhenEmpty)
    copy = StagedCopy(staged, of: settings.library, stateFolder: settings.stateFolder, wake: control.wake)
    plugin = String(staged.sha256.prefix(12))
    pluginFile = settings.library.split(separator: "/").last.map(String.init) ?? settings.library
    context = try SocketContext()
    var points: [MeetingPoint] = []
    for address in settings.meetingAddresses { points.append(try MeetingPoint(address, in: context)) }
    meetingPoints = points
    let configuration = PluginHostConfiguration(
      executable: settings.hostExecutable, library: staged.path, role: .phase(jobType: settings.jobType),
      limits: settings.limits, environment: settings.environment,
      settings: settings.phaseSettings.value(for: settings.jobType).json, secrets: settings.secrets,
      workDirectory: settings.workDirectory)
    slots = (0..<settings.concurrency).map { _ in
      HostSlot(configuration, readyWithin: settings.readinessMilliseconds, clocks: settings.clocks)
    }
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
    for (index, point) in meetingPoints.enumerated() { poller.add(point.socket, as: PollKey.meetings + index) }
    let start = clocks.instant()
    for address in settings.coordinatorAddresses { connect(to: address, now: start) }
    while true {
      let now = clocks.instant()
      if isDone(now: now) { break }
      step(now: now)
      poller.wait(timeoutMilliseconds: Int(timeout(now: clocks.instant())))
    }
    sayGoodbye()
    if !measures.isEmpty { logger.info("counted and measured: \(measures.all.map(\.words).joined(separator: ", "))") }
    for slot in slots { slot.host?.kill() }
    copy.close()
  }

  private func step(now: Instant) {
    let ready = poller.ready
    if ready.contains(PollKey.wake) { control.wake.clear() }
    followWishes(now: now)
    if ready.contains(where: { $0 >= PollKey.meetings && $0 < PollKey.links }) { lookForCoordinators(now: now) }
    if ready.contains(where: { $0 >= PollKey.links }) { readLinks(ready, now: now) }
    for slot in slotsToAttend(ready, now: now) { attend(slots[slot], now: now) }
    judgeService(now: now)
    giveOut(now: now)
    lendSlots(now: now)
    endIfDone(now: now)
    for slot in slots.indices { watches[slot].follow(slots[slot].host, in: poller) }
    sendReports(now: now)
    sayHelloIfDue(now: now)
  }

  /// Those that something came from; now and then all, for their deadlines and for children to be started.
  private func slotsToAttend(_ ready: [Int], now: Instant) -> [Int] {
    guard now >= lookAtAllAt else {
      return ready.compactMap {
        $0 >= PollKey.hosts && $0 < PollKey.meetings ? ($0 - PollKey.hosts) / 2 : nil
      }
    }
    lookAtAllAt = now + lookAtAllEvery
    heedQuarantine(now: now)
    for link in links { link.outbox.expire(now: now) }
    startChildren(now: now)
    watchLinks(now: now)
    remarkOnSilence(now: now)
    return Array(slots.indices)
  }

  /// In milliseconds. Hundreds of workers with nothing to do must not keep a machine busy.
  private var lookAtAllEvery: Int64 { isWaitingForWork ? 1_000 : 100 }

  private var isWaitingForWork: Bool {
    stage == .serving && quarantine == nil && links.count < 2 && links.allSatisfy(\.isEmpty)
      && slots.allSatisfy(\.isIdle)
  }

  private func timeout(now: Instant) -> Int64 {
    min(max(0, min(helloAt, lookAtAllAt) - now), lookAtAllEvery)
  }

  /// One line for the first few messages that make no sense; a count would not help whoever reads this log.
  func complain(_ error: WireError) {
    complaints += 1
    if complaints <= 10 { logger.warning("ignored a message: \(error.message)") }
  }
}
