internal import ControlProtocol
internal import Glibc
internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The event loop of one pipeline: owns the sockets, takes every decision, and lets the store's executor do the writing and
/// the read executor the looking. Everything here happens in one thread; nothing blocks but the poll.
///
/// What is decided by data alone is kept by the parts, values with private state; what ties them together is in extensions.
final class Coordinator {
  let pipeline: PipelineDefinition
  let settings: PipelineServerSettings
  let executor: StoreExecutor
  let checks: PayloadChecks
  let storeAddress: String
  let name: String
  let hooks: HookQueue
  let connections: CoordinatorConnections
  let wake: WakeUp
  let startedAt: Moment

  // The parts. Each keeps its own state: what is changed here is changed by its methods alone.

  var clock: CoordinatorClock
  var clockTrust: ClockTrust
  var rounds = LoopRounds()

  // Workers, and what they are to be told.
  var roster: WorkerRoster
  var demand = DemandNews()
  var acknowledgements = AcknowledgementBatch()

  // The store, and what is written to it.
  var health: StoreHealth
  var schedule: StoreSchedule
  var turns: TurnBuilder
  var actions: ActionRunner
  var edits = WaitingEdits()
  var pruning: PruneSchedule
  /// The store can never be used: the loop ends.
  var failure: StoreError?

  // Looking at the store, and who waits for what is there.
  private(set) lazy var queries = StoreQueries(wake: wake, yields: settings.hooks.jobFinished == nil) {
    [unowned self] in
    StoreQueries.Progress(now: moment().instant, turn: turns.number, isTurnInStore: turns.isInStore)
  }
  private(set) lazy var freshCounts = FreshCounts(
    StoreCounts(phases: pipeline.phases.map { _ in PhaseCounts() }), queries: queries)
  var awaited = AwaitedJobs()

  // What is counted, remembered and said of jobs.
  var jobIDs = JobIDSource()
  var meters: PhaseMeters
  /// What phases count and measure, by job type.
  var measured: [String: PhaseMeasures] = [:]
  var journal = JobJournal()
  var finishedFeed = FinishedJobFeed()
  var deadWarning = DeadJobWarning()

  /// Asked once a turn; may be called from this thread only.
  var shouldStop: () -> Bool = { false }
  var stopRequested: Bool { shouldStop() }
  private let poller = Poller()
  private var intakeIsWatched = false

  /// What the poller calls it; `CoordinatorConnections.Watched` has the others.
  private static var wakeKey: Int { 0 }

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
    executor = StoreExecutor(store: store, inline: store.answersAtOnce, wake: wake)
    checks = PayloadChecks(
      maximumInstructionsBytes: settings.maximumInstructionsBytes, schema: settings.instructionsSchema, wake: wake)
    storeAddress = store.address
    connections = try CoordinatorConnections(settings)
    clock = CoordinatorClock(settings.clocks)
    startedAt = clock.moment()
    let instant = startedAt.instant
    schedule = StoreSchedule(now: instant)
    pruning = PruneSchedule(now: instant)
    clockTrust = ClockTrust(startedAt)
    actions = ActionRunner(now: instant)
    health = StoreHealth(startedAt: instant, patience: settings.storePatienceMilliseconds)
    roster = WorkerRoster(
      pipeline: pipeline, timeouts: WorkerRoster.Timeouts(silence: max(2_000, settings.workerTimeoutMilliseconds)))
    turns = TurnBuilder(now: startedAt.wall, phases: pipeline.phases.count)
    meters = PhaseMeters(phases: pipeline.phases.count)
  }

  var logger: Logger { settings.logger }

  func moment() -> Moment { clock.moment() }

  /// Runs until `shouldStop` says so or the store can never be used.
  func run() {
    warnOfUnreachableIntake()
    poller.add(fileDescriptor: wake.fileDescriptor, as: Self.wakeKey)
    connections.watchMeeting(with: poller)
    openStore()
    while !stopRequested && failure == nil {
      waitForSomething()
      step()
    }
    finish()
  }

  /// Workers on other machines would hear of this coordinator and never reach it.
  private func warnOfUnreachableIntake() {
    let intake = connections.intakeAddress
    guard settings.advertisedIntakeAddress == nil, isLoopback(intake) else { return }
    let told = ([connections.meetingAddress] + settings.forwarders).first { !isLoopback($0) }
    guard let told else { return }
    logger.warning(
      """
      workers on other machines find this pipeline at \(told) and cannot reach it at \(intake): bind --job-pull to \
      an address they reach, or name it with --advertise
      """)
  }

  /// Before the store is open for the first time nothing is taken in: whoever starts a coordinator and enqueues at once
  /// is answered a moment later rather than refused.
  private var isOpening: Bool { health.condition == .opening }

  var isOpen: Bool { health.isOpen }

  private func waitForSomething() {
    if !isOpening, !intakeIsWatched {
      connections.watchIntake(with: poller)
      intakeIsWatched = true
    }
    poller.wait(timeoutMilliseconds: Int(timeout()))
  }

  private func timeout() -> Int64 {
    let now = moment()
    if hasBite(now: now) { return 0 }
    var rest = rounds.nextTickAt - now.instant
    if let due = actions.nextStepAt { rest = min(rest, due - now.instant) }
    if let due = acknowledgements.dueAt { rest = min(rest, due - now.instant) }
    if let due = queries.restsUntil, due > now.instant { rest = min(rest, due - now.instant) }
    if let nextDue = turns.nextDue, !executor.isBusy, isOpen { rest = min(rest, nextDue - now.steady) }
    return min(max(0, rest), 100)
  }

  private func step() {
    let now = moment()
    if rounds.comeRound(now: now.instant) { roster.resetHeartbeats(now: now.instant) }
    schedule.beginStep()
    checks.beginStep()
    if poller.ready.contains(Self.wakeKey) {
      wake.clear()
      // These never answer without a signal.
      queries.deliverAnswers()
      _ = checks.deliverAnswers()
    }
    _ = executor.deliverAnswers()
    if isReady(.meeting) { connections.readMeeting(limit: Self.messagesPerTurn) }
    if isReady(.intake) { readIntake(now: now) }
    if isReady(.intakePeers) || isReady(.meetingPeers) { readPeers(now: now) }
    if let due = rounds.takeTick(now: now.instant) { tick(due, now: now) }
    repeat {
      let now = moment()
      advance(now: now)
      advanceReads()
    } while executor.deliverAnswers()
    acknowledge(now: now)
    tellDemand(now: now)
  }

  private func isReady(_ socket: CoordinatorConnections.Watched) -> Bool { poller.ready.contains(socket.rawValue) }

  private func tick(_ due: LoopRounds.Tick, now: Moment) {
    perform(roster.tick(now: now.instant), now: now)
    tellDemand(now: now, isTick: true)
    lookForAwaited(now: now)
    answerLateRequests(now: now)
    connections.keepDescriptorsFree(now: now.instant)
    keepTimeline()
    if due.endsOverfullPeers { connections.endOverfullPeers() }
    if due.maintains { maintain(now: now) }
    endOutage(wrote: false, now: now)
    if health.isDueToOpen(now: now.instant), !executor.isBusy { openStore() }
  }

  /// Answers whoever waits, writes what is pending, and lets go of the store.
  private func finish() {
    let now = moment()
    schedule.endBites()
    checks.drain()
    _ = checks.deliverAnswers()
    if isOpen, failure == nil { writeWhatIsLeft(now: now) }
    refuseEverythingPending(.stopping, "the coordinator is stopping")
    refuseRequests(.stopping, "the coordinator is stopping")
    acknowledge(now: now, all: true)
    queries.close()
    executor.submit({ store throws(StoreError) in store.close() }, answer: { _ in })
    executor.drain()
    queries.drain()
  }

  private func writeWhatIsLeft(now: Moment) {
    release(roster.parkedTokens, now: now, lost: false, stage: .parked)
    turns.add(meters.take())
    clock.freshMoment()
    repeat {
      keepTimeline()
      advance(now: moment(), claiming: false)
      executor.drain()
    } while executor.deliverAnswers()
    tellWhatIsLeft(until: now.instant + 5_000)
  }

  /// The hooks hear of the last jobs that ended.
  private func tellWhatIsLeft(until deadline: Instant) {
    while !finishedFeed.isDone, moment().instant < deadline {
      advanceReads()
      if queries.isIdle, !executor.isBusy { return }
      if !executor.isBusy { _ = readThroughStore() }
      executor.drain()
      queries.drain()
      _ = executor.deliverAnswers()
      queries.deliverAnswers()
    }
  }
}
