internal import HostProtocol
internal import HostSupervision
internal import Logging
internal import PipelineModel
internal import PluginCatalog
internal import WireProtocol
internal import ZeroMQTransport

/// The service of one job type by one build of a plugin: owns its children and what coordinators gave it, loads no plugin.
/// Belongs to the thread of the `WorkerLoop` that it is given to. Nothing in here blocks, so heartbeats go out however long a
/// job runs.
final class PhaseService {
  enum Stage: Equatable {
    case serving
    /// Takes nothing new; what runs may go on until then.
    case draining(until: Instant)
    /// Everything was given back; leaves at the latest then.
    case leaving(by: Instant)
    /// Has said goodbye.
    case ended
  }

  let settings: PhaseServerSettings
  let id: WorkerID
  let hostName = WorkerName.ofThisMachine()
  let plugin: String
  let pluginFile: String
  let build: String
  let copy: StagedCopy
  let clocks: Clocks
  /// Tells this service from one that had its id before.
  let instance = UInt64.random(in: 1 ... .max)
  let control: ServiceControl
  let slots: [HostSlot]

  /// In the order in which the coordinators were found.
  var links: [CoordinatorLink] = []
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
  /// By address where coordinators are met: how long they have refused this service, and what was said about it.
  var refusals: [String: SilenceRemark] = [:]
  /// Something came for it from outside its children.
  var hasNews = true
  /// Slots that something came from, for the next step.
  var readySlots: [Int] = []
  /// What the poller watches of each slot's child.
  private var watches: [HostWatch] = []
  private var lookAtAllAt = Instant(milliseconds: .min)
  private var steppedAt = Instant(milliseconds: .min)

  /// - Parameters:
  ///   - id: no other service of the process has had it.
  ///   - staged: the content-addressed copy of the plugin.
  init(
    _ settings: PhaseServerSettings, id: WorkerID, staged: StagedPlugin, control: ServiceControl
  ) throws(PhaseServerError) {
    guard (1...Hello.maximumInFlight / 2).contains(settings.concurrency) else {
      throw PhaseServerError(kind: .address, message: "concurrency \(settings.concurrency) is not within 1 to 2048")
    }
    self.settings = settings
    self.id = id
    self.control = control
    build = staged.sha256
    clocks = settings.clocks
    oneOff = OneOff(
      maximumJobs: settings.maximumJobs, idleMilliseconds: settings.idleExitMilliseconds,
      endsWhenEmpty: settings.endsWhenEmpty)
    copy = StagedCopy(staged, of: settings.library, stateFolder: settings.stateFolder, wake: control.wake)
    plugin = String(staged.sha256.prefix(12))
    pluginFile = settings.library.split(separator: "/").last.map(String.init) ?? settings.library
    let configuration = PluginHostConfiguration(
      executable: settings.hostExecutable, library: staged.path, role: .phase(jobType: settings.jobType),
      limits: settings.limits, environment: settings.environment,
      settings: settings.phaseSettings.value(for: settings.jobType).json, secrets: settings.secrets,
      workDirectory: settings.workDirectory)
    slots = (0..<settings.concurrency).map { _ in
      HostSlot(configuration, readyWithin: settings.readinessMilliseconds)
    }
  }

  var logger: Logger { settings.logger }

  // MARK: - Steps of the loop

  /// - Parameter number: that no other service of the loop has.
  func begin(as number: Int, _ connections: [CoordinatorConnection]) {
    watches = slots.indices.map { slot in
      let key = PollKey.child(service: number, slot: slot)
      return HostWatch(keys: (key.code, key.secondCode))
    }
    for connection in connections { add(connection) }
  }

  func step(in poller: Poller, now: Instant) {
    defer { readySlots.removeAll(keepingCapacity: true) }
    guard stage != .ended, hasNews || !readySlots.isEmpty || now >= dueAt else { return }
    hasNews = false
    steppedAt = now
    followDesiredState(now: now)
    for slot in slotsToAttend(now: now) { attend(slots[slot], now: now) }
    judgeService(now: now)
    giveOut(now: now)
    lendSlots(now: now)
    endIfDone(now: now)
    for slot in slots.indices { watches[slot].follow(slots[slot].host, in: poller) }
    sendReports(now: now)
    sayHelloIfDue(now: now)
  }

  /// Those that something came from; now and then all, for their deadlines and for children to be started.
  private func slotsToAttend(now: Instant) -> [Int] {
    guard now >= lookAtAllAt else { return readySlots }
    lookAtAllAt = now + lookAtAllEvery
    checkQuarantine(now: now)
    for link in links { link.outbox.expire(now: now) }
    startChildren(now: now)
    watchSilence(now: now)
    return Array(slots.indices)
  }

  /// In milliseconds. Hundreds of workers with nothing to do must not keep a machine busy.
  private var lookAtAllEvery: Int64 { isWaitingForWork ? 1_000 : 100 }

  private var isWaitingForWork: Bool {
    stage == .serving && quarantine == nil && links.count < 2 && links.allSatisfy(\.isEmpty)
      && slots.allSatisfy(\.isIdle)
  }

  /// When it is to be stepped although nothing came for it.
  var dueAt: Instant {
    stage == .ended ? .distantFuture : min(helloAt, lookAtAllAt, steppedAt + lookAtAllEvery)
  }
}
