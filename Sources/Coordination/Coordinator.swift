internal import DequeModule
internal import Glibc
internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The event loop of one pipeline: owns the sockets, takes every decision, and lets the store lane do the writing and the
/// read lane the looking. Everything here happens in one thread; nothing blocks but the poll.
final class Coordinator {
  enum StoreCondition {
    case opening
    case open
    case down(reason: String, retryAt: Instant)
  }

  let pipeline: PipelineDefinition
  let settings: PipelineServerSettings
  let lane: StoreLane
  let readLane: ReadLane
  let checks: PayloadChecks
  let storeAddress: String
  let name: String
  let hooks: HookQueue
  let context: SocketContext
  /// Where workers look for this coordinator.
  let meeting: Socket
  let intake: Socket
  let wake: WakeUp
  let startedAt: Moment
  var timeline: SteadyTimeline
  /// As the store has it.
  var keptTimelineOffset: Int64 = 0
  /// As bound, with the port where the setting left it open.
  let eventsAddress: String
  let intakeAddress: String

  var roster: WorkerRoster
  /// When a worker whose connection has ended is to be lost: not at the next tick after that.
  var lossIsDue = Instant.distantFuture
  /// Some worker may have to be told of what waits for it.
  var demandIsDue = false
  /// Phases for which something waited when that was told last.
  var waitingAsTold: [Bool] = []
  var refusedPeers = RepeatedRemark()
  var condition: StoreCondition
  var outage: StoreOutage?
  var wasOpen = false
  var pending: PendingTurn
  /// Of the turn that is being gathered.
  var turnNumber = 1
  /// Jobs waiting in each phase's queue: never fewer than there are, corrected by claims that come back short.
  var queued: [Int]
  var paused: (pipeline: Bool, phases: Set<Int>) = (false, [])
  /// On the steady timeline.
  var nextDue: Timestamp?

  // What the store's lane does besides turns.
  var laneBusy = false
  /// A turn is on its way that has not been applied yet, with these metrics.
  var isTurnInStore = false
  var metricsInStore: [PhaseMetrics] = []
  var errands: Deque<() -> Void> = []
  var turnComesNext = true
  var bite = Bite.read
  /// Long tasks go on by one bite in each step of the loop.
  var mayBite = true
  var keepOwnershipAt: Instant
  var pruning: PruneSchedule
  var clockTrust: ClockTrust
  var actions: LongActions
  var actionAnswers: [String: Answer] = [:]
  /// The action of which a step is on its way, and who waits to hear how far it came.
  var stepInStore: String?
  var stopAnswers: [(action: String, answer: Answer)] = []
  /// Of instructions that wait for the store, to take the place of others.
  var editedBytes = 0
  /// Of the last action's step, to see whether turns went since.
  var turnOfLastStep = 0

  // Looking.
  var reader = ReaderState.none
  var reads = ReadQueue<Read>()
  var readBusy = false
  /// A large answer is being put into words.
  var isPreparing = false
  var readShare = ReadShare(rest: 19)
  var counts: StoreCounts
  var countsAsked = CountsRequests()
  var isReadingFinished = false
  var isReadingAwaited = false

  var meters: PhaseMeters
  var jobIDs = JobIDSource()
  var progress: [JobID: (fraction: Double, note: String)] = [:]
  var recentLogs = RecentLogs()
  var journal = EventJournal()
  var recentChanges = RecentChanges()
  var awaited = AwaitedJobs()
  var owed = OwedAcknowledgements()
  var complaints = Complaints()
  var remarks = FailureRemarks(perSecond: 20)
  var deadRemarks = FailureRemarks(perSecond: 1_000)
  /// Jobs that ended in the turn being answered, and those whose hook has still to be called.
  var finished: [JobID] = []
  var toldLater: Deque<JobID> = []
  var neverTold = 0
  var deadWarnedAt: Instant?
  var intakePeers = PeerTable()
  var meetingPeers = PeerTable()
  var unread = UnreadAnswers()
  let intakeMonitor: PeerMonitor
  let meetingMonitor: PeerMonitor

  /// Asked once a turn; may be called from this thread only.
  var shouldStop: () -> Bool = { false }
  var stopRequested: Bool { shouldStop() }
  var failure: StoreError?
  private var schedule = Schedule()
  var lastMoment: Moment
  private let poller = Poller()
  private var intakeIsWatched = false

  /// What the poller calls what it watches.
  private enum PollKey {
    static let wake = 0
    static let meeting = 1
    static let intake = 2
    static let intakePeers = 3
    static let meetingPeers = 4
  }

  private struct Schedule {
    var tick = Instant(milliseconds: .min)
    var peers = Instant(milliseconds: .min)
    var housekeeping = Instant(milliseconds: .min)
    var lastTurn = Instant.distantFuture
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
    readLane = ReadLane(wake: wake, yields: settings.hooks.jobFinished == nil)
    checks = PayloadChecks(
      maximumInstructionsBytes: settings.maximumInstructionsBytes, schema: settings.instructionsSchema, wake: wake)
    storeAddress = store.address
    context = try SocketContext()
    meeting = try Socket(.subscribe, in: context, maximumMessageBytes: Int64(Self.maximumEventBytes))
    meetingMonitor = try PeerMonitor(of: meeting, name: "meeting")
    eventsAddress = try meeting.bind(settings.eventsAddress)
    for forwarder in settings.forwarders { try meeting.connect(forwarder) }
    // A peer's messages wait in its connection rather than here, beyond a few.
    intake = try Socket(
      .router, in: context, receiveHighWaterMark: 100,
      maximumMessageBytes: Int64(settings.maximumInstructionsBytes) + 65_536, lingerMilliseconds: 500)
    intakeMonitor = try PeerMonitor(of: intake, name: "intake")
    intakeAddress = try intake.bind(settings.intakeAddress)
    meeting.subscribe(to: MeetingTopic.topic(for: settings.advertisedIntakeAddress ?? intakeAddress))
    meeting.subscribe(to: MeetingTopic.olderEvents)
    let (instant, wall) = (settings.clocks.instant(), Self.wall(settings.clocks))
    timeline = SteadyTimeline(origin: wall, start: instant)
    startedAt = Moment(instant: instant, wall: wall, steady: wall)
    lastMoment = startedAt
    keepOwnershipAt = instant
    pruning = PruneSchedule(now: instant)
    clockTrust = ClockTrust(startedAt)
    actions = LongActions(now: instant)
    condition = .opening
    roster = WorkerRoster(
      pipeline: pipeline, patience: WorkerRoster.Patience(silence: max(2_000, settings.workerTimeoutMilliseconds)))
    pending = PendingTurn(now: wall, phases: pipeline.phases.count)
    queued = Array(repeating: 0, count: pipeline.phases.count)
    counts = StoreCounts(phases: pipeline.phases.map { _ in PhaseCounts() })
    meters = PhaseMeters(phases: pipeline.phases.count)
  }

  var logger: Logger { settings.logger }

  /// Before 1970 there is no time that stores could keep.
  private static func wall(_ clocks: Clocks) -> Timestamp { max(Timestamp(milliseconds: 0), clocks.timestamp()) }

  func moment() -> Moment {
    let instant = settings.clocks.instant()
    // Asked for several times a step: the wall clock is read once in a millisecond.
    return instant == lastMoment.instant ? lastMoment : look(at: instant)
  }

  @discardableResult
  private func look(at instant: Instant) -> Moment {
    lastMoment = Moment(instant: instant, wall: Self.wall(settings.clocks), steady: timeline.time(at: instant))
    return lastMoment
  }

  /// Runs until `shouldStop` says so or the store can never be used.
  func run() {
    warnOfUnreachableIntake()
    poller.add(fileDescriptor: wake.fileDescriptor, as: PollKey.wake)
    poller.add(meeting, as: PollKey.meeting)
    poller.add(meetingMonitor.socket, as: PollKey.meetingPeers)
    poller.add(intakeMonitor.socket, as: PollKey.intakePeers)
    openStore()
    while !stopRequested && failure == nil {
      waitForSomething()
      step()
    }
    finish()
  }

  /// Workers on other machines would hear of this coordinator and never reach it.
  private func warnOfUnreachableIntake() {
    guard settings.advertisedIntakeAddress == nil, isLoopback(intakeAddress) else { return }
    let told = ([eventsAddress] + settings.forwarders).first { !isLoopback($0) }
    guard let told else { return }
    logger.warning(
      """
      workers on other machines find this pipeline at \(told) and cannot reach it at \(intakeAddress): bind --job-pull to \
      an address they reach, or name it with --advertise
      """)
  }

  /// Before the store is open for the first time nothing is taken in: whoever starts a coordinator and enqueues at once
  /// is answered a moment later rather than refused.
  private var isOpening: Bool {
    if case .opening = condition { return true }
    return false
  }

  private func waitForSomething() {
    if !isOpening, !intakeIsWatched {
      poller.add(intake, as: PollKey.intake)
      intakeIsWatched = true
    }
    poller.wait(timeoutMilliseconds: Int(timeout()))
  }

  private func timeout() -> Int64 {
    let now = moment()
    if hasBite(now: now) { return 0 }
    var rest = min(schedule.tick, lossIsDue) - now.instant
    if actions.hasNext { rest = min(rest, actions.restsUntil - now.instant) }
    if let due = owed.dueAt { rest = min(rest, due - now.instant) }
    if !reads.isEmpty, readShare.restsUntil > now.instant { rest = min(rest, readShare.restsUntil - now.instant) }
    if let nextDue, !laneBusy, case .open = condition { rest = min(rest, nextDue - now.steady) }
    return min(max(0, rest), 100)
  }

  private func step() {
    let now = moment()
    if now.instant - schedule.lastTurn > 1_000 { roster.forgive(now: now.instant) }
    schedule.lastTurn = now.instant
    mayBite = true
    checks.beginStep()
    if poller.ready.contains(PollKey.wake) {
      wake.clear()
      // These never answer without a signal.
      _ = readLane.deliverAnswers()
      _ = checks.deliverAnswers()
    }
    _ = lane.deliverAnswers()
    if poller.ready.contains(PollKey.meeting) { readMeeting() }
    if poller.ready.contains(PollKey.intake) { readIntake(now: now) }
    if poller.ready.contains(PollKey.intakePeers) || poller.ready.contains(PollKey.meetingPeers) { readPeers(now: now) }
    if now.instant >= min(schedule.tick, lossIsDue) {
      schedule.tick = now.instant + 100
      if now.instant >= lossIsDue { lossIsDue = .distantFuture }
      tick(now: now)
    }
    repeat {
      let now = moment()
      advance(now: now)
      advanceReads(now: now)
    } while lane.deliverAnswers()
    acknowledge(now: now)
    tellDemand(now: now)
  }

  private func tick(now: Moment) {
    carryOut(roster.tick(now: now.instant), now: now)
    tellDemand(now: now, isTick: true)
    lookForAwaited(now: now)
    answerLateRequests(now: now)
    keepDescriptorsFree(now: now)
    keepTimeline(now: now)
    if now.instant >= schedule.peers {
      schedule.peers = now.instant + 200
      endOverfullPeers()
    }
    if now.instant >= schedule.housekeeping {
      schedule.housekeeping = now.instant + 5_000
      keepHouse(now: now)
    }
    endOutage(wrote: false, now: now)
    if case .down(_, let retryAt) = condition, now.instant >= retryAt, !laneBusy { openStore() }
  }

  /// Answers whoever waits, writes what is pending, and lets go of the store.
  private func finish() {
    let now = moment()
    mayBite = false
    checks.drain()
    _ = checks.deliverAnswers()
    if case .open = condition, failure == nil { writeWhatIsLeft(now: now) }
    refuseEverythingPending(.stopping, "the coordinator is stopping")
    refuseRequests(.stopping, "the coordinator is stopping")
    acknowledge(now: now, all: true)
    if case .own(let reader) = reader { readLane.close(reader) }
    lane.submit({ store throws(StoreError) in store.close() }, answer: { _ in })
    lane.drain()
    readLane.drain()
  }

  private func writeWhatIsLeft(now: Moment) {
    release(roster.parkedTokens, now: now, lost: false, stage: .parked)
    pending.turn.metrics += meters.take()
    // The wall clock may have been set since it was read.
    look(at: settings.clocks.instant())
    repeat {
      keepTimeline(now: moment())
      advance(now: moment(), claiming: false)
      lane.drain()
    } while lane.deliverAnswers()
    tellWhatIsLeft(until: now.instant + 5_000)
  }

  /// The hooks hear of the last jobs that ended.
  private func tellWhatIsLeft(until deadline: Instant) {
    while isReadingFinished || !toldLater.isEmpty, settings.clocks.instant() < deadline {
      if case .missing = reader { return }
      advanceReads(now: moment())
      if !readBusy, !laneBusy, !readOnLane(now: moment()), reads.isEmpty { return }
      lane.drain()
      readLane.drain()
      _ = lane.deliverAnswers()
      _ = readLane.deliverAnswers()
    }
  }
}
