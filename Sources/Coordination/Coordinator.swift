internal import DequeModule
internal import Glibc
internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The event loop of one pipeline: owns the sockets, takes every decision, and lets the store lane do the writing.
/// Everything here happens in one thread; nothing blocks but the poll.
final class Coordinator {
  /// A worker's order socket.
  struct Link {
    var orders: Socket
    var monitor: ConnectionMonitor
    /// What the poller calls the monitor.
    var key: Int
  }

  enum StoreCondition {
    case opening
    case open
    case down(reason: String, retryAt: Timestamp, backoff: Int64)
  }

  let pipeline: PipelineDefinition
  let settings: PipelineServerSettings
  let lane: StoreLane
  let storeAddress: String
  let name: String
  let hooks: HookQueue
  let context: SocketContext
  let events: Socket
  let intake: Socket
  let wake: WakeUp
  let startedAt: Timestamp
  /// As bound, with the port where the setting left it open.
  let eventsAddress: String
  let intakeAddress: String

  var roster: WorkerRoster
  var links: [WorkerID: Link] = [:]
  var linksMade = 0
  var condition: StoreCondition
  var wasOpen = false
  var laneBusy = false
  var errands: Deque<() -> Void> = []
  var pending: PendingTurn
  /// Of the turn that is being gathered.
  var turnNumber = 1
  /// Jobs waiting in each phase's queue: never fewer than there are, corrected by claims that come back short.
  var queued: [Int]
  var counts: StoreCounts
  var paused: (pipeline: Bool, phases: Set<Int>) = (false, [])
  var nextDue: Timestamp?
  var meters: PhaseMeters
  var jobIDs = JobIDSource()
  var progress: [JobID: (fraction: Double, note: String)] = [:]
  var recentLogs = RecentLogs()
  var recentChanges = RecentChanges()
  var awaited = AwaitedJobs()
  var owed = OwedAcknowledgements()
  var complaints = Complaints()
  /// Jobs that ended in the turn being answered.
  var finished: [JobID] = []
  /// Asked once a turn; may be called from this thread only.
  var shouldStop: () -> Bool = { false }
  var stopRequested: Bool { shouldStop() }
  var failure: StoreError?
  private var schedule = Schedule()
  private let poller = Poller()
  private var watched: [Int: WorkerID] = [:]
  private var intakeIsWatched = false

  /// What the poller calls what it watches; links come after these.
  private enum PollKey {
    static let wake = 0
    static let events = 1
    static let intake = 2
    static let links = 3
  }

  private struct Schedule {
    var tick = Timestamp(milliseconds: 0)
    var ownership = Timestamp(milliseconds: 0)
    var renewal = Timestamp(milliseconds: 0)
    var housekeeping = Timestamp(milliseconds: 0)
    var lastTurn = Timestamp(milliseconds: .max)
  }

  /// Binds both sockets, so that a taken address is told before anything else happens.
  init(
    pipeline: PipelineDefinition, store: any JobStore, settings: PipelineServerSettings, wake: WakeUp,
    hooks: HookQueue
  ) throws(TransportError) {
    self.pipeline = pipeline
    self.settings = settings
    self.wake = wake
    self.hooks = hooks
    name = "coordinator-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    lane = StoreLane(store: store, inline: store.answersAtOnce, wake: wake)
    storeAddress = store.address
    context = try SocketContext()
    events = try Socket(.subscribe, in: context, maximumMessageBytes: 1 << 20)
    events.subscribe(to: Prologue.subscription)
    eventsAddress = try events.bind(settings.eventsAddress)
    intake = try Socket(
      .router, in: context, maximumMessageBytes: Int64(settings.maximumInstructionsBytes) + 65_536,
      lingerMilliseconds: 500)
    intake.setHeartbeat(intervalMilliseconds: 2_000, timeoutMilliseconds: 6_000)
    intakeAddress = try intake.bind(settings.intakeAddress)
    let now = Timestamp.now()
    startedAt = now
    condition = .opening
    roster = WorkerRoster(pipeline: pipeline)
    pending = PendingTurn(now: now, phases: pipeline.phases.count)
    queued = Array(repeating: 0, count: pipeline.phases.count)
    counts = StoreCounts(phases: pipeline.phases.map { _ in PhaseCounts() })
    meters = PhaseMeters(phases: pipeline.phases.count)
  }

  var logger: Logger { settings.logger }

  /// Runs until `shouldStop` says so or the store can never be used.
  func run() {
    poller.add(fileDescriptor: wake.fileDescriptor, as: PollKey.wake)
    poller.add(events, as: PollKey.events)
    openStore()
    while !stopRequested && failure == nil {
      waitForSomething()
      step()
    }
    finish()
  }

  /// Before the store is open for the first time nothing is taken in: whoever starts a coordinator and enqueues at once
  /// is answered a moment later rather than refused.
  private var isOpening: Bool {
    if case .opening = condition { return true }
    return false
  }

  /// What a link is called in the poller.
  func watch(_ monitor: ConnectionMonitor, of worker: WorkerID) -> Int {
    linksMade += 1
    let key = PollKey.links + linksMade
    watched[key] = worker
    poller.add(monitor.socket, as: key)
    return key
  }

  func unwatch(_ link: Link) {
    watched[link.key] = nil
    poller.remove(link.monitor.socket)
  }

  private func waitForSomething() {
    if !isOpening, !intakeIsWatched {
      poller.add(intake, as: PollKey.intake)
      intakeIsWatched = true
    }
    poller.wait(timeoutMilliseconds: Int(timeout()))
  }

  private func timeout() -> Int64 {
    let now = Timestamp.now()
    var moment = schedule.tick
    if let due = owed.dueAt { moment = min(moment, due) }
    if let nextDue, !laneBusy, case .open = condition { moment = min(moment, nextDue) }
    return min(max(0, moment - now), 100)
  }

  private func step() {
    let now = Timestamp.now()
    if now - schedule.lastTurn > 1_000 || now < schedule.lastTurn { roster.forgive(now: now) }
    schedule.lastTurn = now
    if poller.ready.contains(PollKey.wake) { wake.clear() }
    _ = lane.deliverAnswers()
    for key in poller.ready where key >= PollKey.links { readMonitor(key, now: now) }
    if poller.ready.contains(PollKey.events) { readEvents(now: now) }
    if poller.ready.contains(PollKey.intake) { readIntake(now: now) }
    if now >= schedule.tick {
      schedule.tick = now + 100
      tick(now: now)
    }
    repeat { advance(now: Timestamp.now()) } while lane.deliverAnswers()
    acknowledge(now: now)
  }

  private func readMonitor(_ key: Int, now: Timestamp) {
    guard let worker = watched[key], let link = links[worker], link.key == key else { return }
    for event in link.monitor.events() {
      switch event {
      case .connected: roster.connected(worker)
      case .disconnected: roster.disconnected(worker, now: now)
      }
    }
  }

  private func tick(now: Timestamp) {
    carryOut(roster.tick(now: now), now: now)
    lookForAwaited()
    if now >= schedule.renewal {
      schedule.renewal = now + 1_000
      renewLeases(now: now)
    }
    if now >= schedule.housekeeping {
      schedule.housekeeping = now + 5_000
      keepHouse(now: now)
    }
    if now >= schedule.ownership {
      schedule.ownership = now + 500
      keepOwnership(now: now)
    }
    if case .down(_, let retryAt, _) = condition, now >= retryAt, !laneBusy { openStore() }
  }

  /// Answers whoever waits, writes what is pending, and lets go of the store.
  private func finish() {
    if case .open = condition, failure == nil {
      pending.turn.metrics += meters.take()
      repeat {
        advance(now: .now(), claiming: false)
        lane.drain()
      } while lane.deliverAnswers()
    }
    refuseEverythingPending(.stopping, "the coordinator is stopping")
    refuseAwaiting()
    acknowledge(now: .now(), all: true)
    lane.submit({ store throws(StoreError) in store.close() }, answer: { _ in })
    lane.drain()
  }
}
