import JobStorage
import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite struct TurnBuilderTests {
  private var turns = TurnBuilder(now: Timestamp(milliseconds: 1), phases: 2)
  private let worker: WorkerID
  private let handle: LoadTable.Handle

  init() throws {
    worker = try #require(WorkerID("w"))
    var loads = LoadTable(phases: 2)
    handle = loads.add(worker, slots: 1, phases: [0])
  }

  private func moment(_ steady: Int64) -> Moment {
    Moment(
      instant: Instant(milliseconds: steady), wall: Timestamp(milliseconds: steady + 5),
      steady: Timestamp(milliseconds: steady))
  }

  private func job(_ name: String) throws -> JobID { try #require(JobID(name)) }

  private func lease(_ name: String, phase: Int = 0) throws -> Lease {
    Lease(
      job: try job(name), token: LeaseToken(1), phase: phase, worker: worker, attempt: 1, failures: 0, crashes: 0,
      since: Instant(milliseconds: 1), sinceTime: Timestamp(milliseconds: 1))
  }

  private mutating func enqueue(_ names: String..., at due: Int64? = nil, bytes: Int = 2) throws {
    var reply = EnqueueReply(request: 7, jobs: [])
    for (position, name) in names.enumerated() {
      reply.jobs.append(EnqueueReply.Job(code: .ok, id: try job(name)))
      let new = NewJob(
        id: try job(name), notBefore: due.map(Timestamp.init(milliseconds:)),
        instructions: Array(repeating: 0, count: bytes))
      turns.enqueue(new, into: 0, position: position)
    }
    turns.expect(reply, to: [1])
  }

  private mutating func taken(_ steady: Int64) throws -> PendingTurn {
    let turn = turns.take(now: moment(steady))
    return try #require(turn)
  }

  private func share(_ limit: Int) -> WorkerRoster.Share {
    WorkerRoster.Share(worker: worker, handle: handle, phase: 0, limit: limit)
  }

  private func claimed(_ names: [String]) throws -> [ClaimedJob] {
    try names.enumerated().map { number, name in
      ClaimedJob(
        id: try job(name), token: LeaseToken(UInt64(number)), attempt: 1, failures: 0, crashes: 0, instructions: [],
        queuedAt: Timestamp(milliseconds: 1))
    }
  }

  @Test mutating func whereNothingWasGatheredThereIsNoTurn() {
    let nothing = turns.take(now: moment(10))
    #expect(nothing == nil)
    #expect(turns.number == 1)
    #expect(turns.claimable == nil)
  }

  @Test mutating func whatArrivesCanBeClaimedInTheSameTurn() throws {
    try enqueue("a", "b")
    try enqueue("late", at: 50)
    turns.settle(try lease("c"), nil, .advance(to: 1, instructions: nil))
    #expect(turns.queued == [0, 0])
    #expect(turns.claimable == [2, 1])
    turns.claim([share(1)])
    let sent = try taken(10)
    #expect(sent.turn.claims == [Claim(phase: 0, worker: worker, limit: 1)])
    #expect(sent.turn.now == Timestamp(milliseconds: 15))
    #expect(sent.turn.promotionTime == Timestamp(milliseconds: 10))
    #expect(turns.queued == [2, 1])
    #expect(turns.isEmpty)
    #expect(turns.number == 2)
  }

  @Test mutating func claimsThatComeBackShortEmptyTheQueue() throws {
    try enqueue("a", "b", "c")
    turns.claim([share(2)])
    let full = try taken(10)
    var answers = StoreTurnResult()
    answers.claims = [try claimed(["a", "b"])]
    _ = turns.applied(answers, to: full, now: moment(11).steady)
    #expect(turns.queued == [1, 0])
    turns.requeued(5, in: 0)
    turns.requeued(5, in: 9)
    turns.claim([share(3)])
    let short = try taken(12)
    answers.claims = [try claimed(["c"])]
    _ = turns.applied(answers, to: short, now: moment(13).steady)
    #expect(turns.queued == [0, 0])
  }

  @Test mutating func nothingCanBeClaimedOfAPausedPipeline() throws {
    try enqueue("a")
    turns.set(paused: (true, []))
    #expect(turns.claimable == nil)
    turns.set(paused: (false, [0]))
    #expect(turns.claimable == [1, 0])
  }

  @Test mutating func onlyWhatTheStoreRecordedEndsOrComesBack() throws {
    let error = JobError(type: "E", message: "m")
    turns.settle(try lease("done"), nil, .succeed(instructions: nil))
    turns.settle(try lease("dead"), nil, .bury(error))
    turns.settle(try lease("stale"), nil, .succeed(instructions: nil))
    turns.settle(try lease("back", phase: 1), nil, .toFront(losses: nil))
    turns.settle(try lease("again"), nil, .retry(at: Timestamp(milliseconds: 11), error))
    let sent = try taken(10)
    let before = turns.queued
    var answers = StoreTurnResult()
    answers.settlements = [.recorded, .recorded, .stale, .recorded, .recorded]
    #expect(turns.applied(answers, to: sent, now: moment(12).steady) == [try job("done"), try job("dead")])
    #expect(turns.queued == [before[0] + 1, before[1] + 1])
  }

  @Test mutating func delayedJobsBringThePromotionForward() throws {
    try enqueue("late", at: 500)
    let sent = try taken(10)
    #expect(sent.turn.promotionLimit == 0)
    _ = turns.applied(StoreTurnResult(), to: sent, now: moment(10).steady)
    #expect(turns.nextDue == Timestamp(milliseconds: 500))
    let nothing = turns.take(now: moment(499))
    #expect(nothing == nil)
    let promoting = try taken(500)
    #expect(promoting.turn.promotionLimit == TurnBuilder.promotedAtOnce)
    var answers = StoreTurnResult()
    answers.promoted = [0: 1, 9: 1]
    answers.nextDue = Timestamp(milliseconds: 900)
    _ = turns.applied(answers, to: promoting, now: moment(501).steady)
    #expect(turns.queued == [1, 0])
    #expect(turns.nextDue == Timestamp(milliseconds: 900))
  }

  @Test mutating func jobsThatWaitForTheStoreHaveABoundInNumberAndInBytes() throws {
    #expect(turns.hasRoom(for: 1_000, within: 100))
    try enqueue("a", bytes: 60)
    #expect(turns.hasRoom(for: 40, within: 100))
    #expect(!turns.hasRoom(for: 41, within: 100))
    for number in 1..<TurnBuilder.enqueueBacklog { try enqueue("j\(number)", bytes: 0) }
    #expect(!turns.hasRoom(for: 1, within: 100))
    _ = turns.take(now: moment(10))
    #expect(turns.hasRoom(for: 1, within: 100))
  }

  @Test mutating func metricsAreSeenUntilTheStoreHasThemAndGivenBackWithADiscardedTurn() throws {
    let metrics = [PhaseMetrics(minute: 1, phase: 0)]
    turns.add(metrics)
    #expect(turns.metrics.count == 1)
    let sent = try taken(10)
    #expect(turns.metrics.count == 1)
    _ = turns.applied(StoreTurnResult(), to: sent, now: moment(10).steady)
    #expect(turns.metrics.isEmpty)
    turns.add(metrics)
    #expect(turns.discard(now: Timestamp(milliseconds: 1)).turn.metrics.count == 1)
    #expect(turns.isEmpty)
    #expect(turns.number == 2)
  }

  @Test mutating func newJobsAreOutsideTheStoreUntilTheirTurnIsApplied() throws {
    #expect(turns.firstOutsideStore == .max)
    try enqueue("a")
    #expect(turns.firstOutsideStore == 1)
    let sent = try taken(10)
    #expect(turns.firstOutsideStore == 1)
    _ = turns.applied(StoreTurnResult(), to: sent, now: moment(10).steady)
    #expect(turns.firstOutsideStore == .max)
    turns.add([PhaseMetrics(minute: 1, phase: 0)])
    _ = turns.take(now: moment(11))
    #expect(turns.firstOutsideStore == 2)
    turns.failed()
    #expect(turns.firstOutsideStore == .max)
  }

  @Test mutating func repliesSayWhichJobsWereThereAlready() throws {
    try enqueue("a", "b")
    try enqueue("c")
    let sent = try taken(10)
    #expect(sent.isWaitedFor)
    let replies = sent.replies(after: [.stored, .duplicate(.dead), .duplicate(.running)])
    #expect(replies.map { $0.reply.jobs.map(\.code) } == [[.ok, .duplicate], [.duplicate]])
    #expect(replies[1].reply.jobs[0].message == "there already, running")
    let refused = sent.replies(refusing: .unavailable, "gone")
    #expect(refused.map { $0.reply.jobs.map(\.message) } == [["gone", "gone"], ["gone"]])
  }

  @Test mutating func anOpenedStoreSaysWhatIsQueued() throws {
    var counts = StoreCounts(phases: [PhaseCounts(waiting: 3), PhaseCounts(delayed: 1)])
    turns.resume(with: counts, paused: (false, [1]), now: Timestamp(milliseconds: 40))
    #expect(turns.queued == [3, 0])
    #expect(turns.nextDue == Timestamp(milliseconds: 40))
    #expect(turns.paused.phases == [1])
    counts.phases[1].delayed = 0
    turns.resume(with: counts, paused: (false, []), now: Timestamp(milliseconds: 50))
    #expect(turns.nextDue == nil)
  }
}
