import Glibc
import JobStorage
import JobStorageContract
import PipelineModel
import Testing

private func variable(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

/// Stores move jobs as `JobLifecycle` says, whatever comes in whichever order: seeded operations, with answers that are
/// lost and turns that are refused among them, and after each one everything that a store holds is what the reference has.
///
/// `CARBONTUBE_LIFECYCLE_OPERATIONS` says how many on each store, `CARBONTUBE_FUZZ_SEED` which is the first seed.
@Suite(.timeLimit(.minutes(60))) struct LifecycleFuzzTests {
  private static let operations = Int(variable("CARBONTUBE_LIFECYCLE_OPERATIONS") ?? 1_000)
  private static let firstSeed = variable("CARBONTUBE_FUZZ_SEED") ?? 1
  /// Then a new store begins, so that a long run meets many beginnings.
  private static let operationsOfASeed = 1_000

  @Test(arguments: StoreUnderTest.all)
  func everyStoreDoesAsTheLifecycleSays(_ kind: StoreUnderTest) throws {
    var left = Self.operations
    var seed = Self.firstSeed
    while left > 0 {
      let world = try LifecycleWorld(kind, seed: seed)
      for number in 0..<min(left, Self.operationsOfASeed) {
        do { try world.step() } catch {
          Issue.record("seed \(seed), operation \(number), \(world.latest): \(error)")
          return
        }
      }
      try #require(world.kinds.count >= min(left, Self.operationsOfASeed) / 100, "too little was tried")
      left -= Self.operationsOfASeed
      seed &+= 1
    }
  }
}

/// A store, the reference beside it, and somebody who does this and that to both.
private final class LifecycleWorld {
  struct Difference: Error, CustomStringConvertible {
    let description: String
  }

  private let scene: Scene
  private var reference = ReferenceStore(phases: 3)
  private var random: SeededNumbers
  /// Leases that were ever given; most have ended.
  private var leases: [RunningJob] = []
  private var settled: Set<LeaseToken> = []
  private var pausedPhases: Set<Int> = []
  private(set) var latest = "nothing"
  /// What was tried.
  private(set) var kinds: Set<String> = []

  init(_ kind: StoreUnderTest, seed: UInt64) throws {
    scene = try Scene(kind.make)
    random = SeededNumbers(seed: seed)
  }

  /// One operation and a look at everything.
  func step() throws {
    scene.now = scene.now + Int64(below(4))
    switch below(100) {
    case 0..<60: try apply(someTurn(), "turn")
    case 60..<66: try loseAnAnswer()
    case 66..<69: try refuseATurn()
    case 69..<74: try cancel()
    case 74..<79: try requeue()
    case 79..<86: try perform()
    case 86..<91: try prune()
    case 91..<93: try pause()
    case 93..<96: try reopen()
    default:
      latest = "time passes"
      scene.now = scene.now + 100
    }
    kinds.insert(latest)
    try lookAtEverything()
  }

  private func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
  private func one<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[below(values.count)] }
  private func someID() -> JobID { .named("job-\(below(40))") }
  private func someBytes() -> [UInt8] { Array("{\"n\":\(below(1_000_000))}".utf8) }

  private func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
    guard found != expected else { return }
    throw Difference(description: "\(what): the store has \(found), expected was \(expected)")
  }
}

/// Turns.
extension LifecycleWorld {
  private func someTurn() -> StoreTurn {
    var turn = StoreTurn(now: scene.now)
    turn.settlements = (0..<below(5)).compactMap { _ in someSettlement() }
    turn.enqueues = (0..<below(4)).map { _ in
      let due = below(4) == 0 ? scene.now + Int64(below(60) - 5) : nil
      return NewJob(id: someID(), priority: below(3) - 1, notBefore: due, instructions: someBytes())
    }
    turn.promotionLimit = below(3) == 0 ? 1 + below(5) : 0
    turn.claims = (0..<below(3)).map { _ in
      Claim(phase: below(3), worker: .named("worker-\(below(3))"), limit: below(4))
    }
    return turn
  }

  /// Mostly of a lease that holds, now and then of one that has ended, or from a wrong phase.
  private func someSettlement() -> Settlement? {
    guard let lease = below(4) > 0 ? one(reference.running) ?? one(leases) : one(leases) else { return nil }
    let (effect, outcome) = someEffect(in: lease.phase)
    let attempt = outcome.map {
      AttemptRecord(
        phase: lease.phase, number: lease.attempt, worker: lease.worker, plugin: "0123456789ab",
        startedAt: lease.claimedAt, endedAt: scene.now, outcome: $0)
    }
    let from = below(12) == 0 ? below(5) - 1 : lease.phase
    return Settlement(
      job: below(40) == 0 ? someID() : lease.id, token: lease.token, from: from, counters: lease.counters,
      attempt: attempt, effect: effect)
  }

  private func someEffect(in phase: Int) -> (Effect, AttemptOutcome?) {
    let error = JobError(type: "Broken", message: "at \(scene.now.milliseconds)", location: "here")
    let instructions = below(2) == 0 ? someBytes() : nil
    let failed = one([AttemptOutcome.failed, .timedOut, .crashed, .retryRequested]) ?? .failed
    switch below(10) {
    case 0..<3: return (.advance(to: phase == 2 ? below(3) : phase + 1, instructions: instructions), .succeeded)
    case 3: return (.succeed(instructions: instructions), .succeeded)
    case 4, 5: return (.retry(at: scene.now + Int64(below(60) - 10), error), failed)
    case 6: return (.bury(error), one([.failed, .permanentFailure, .lost, .crashed]))
    case 7: return (.cancel(error), .cancelled)
    case 8: return (.toFront(losses: below(3) == 0 ? nil : below(3)), one([.lost, .handedBack]))
    default: return (.toFront(losses: nil), nil)
    }
  }

  private func apply(_ turn: StoreTurn, _ name: String) throws {
    latest = name
    let found = try scene.store.apply(turn)
    for (settlement, outcome) in zip(turn.settlements, found.settlements) where outcome == .recorded {
      try expect(settled.insert(settlement.token).inserted, true, "a lease is settled once")
    }
    let expected = reference.apply(turn, tokens: found.claims.map { $0.map(\.token) })
    try expect(found.settlements, expected.settlements, "settlements")
    try expect(found.enqueues, expected.enqueues, "enqueues")
    try expect(found.promoted, expected.promoted, "promoted")
    try expect(found.nextDue, expected.nextDue, "next due")
    try expect(found.claims, expected.claims, "claims")
    remember(reference.running)
  }

  private func remember(_ running: [RunningJob]) {
    let known = Set(leases.map(\.token))
    leases = (leases + running.filter { !known.contains($0.token) }).suffix(80)
  }

  /// The turn is done, but nobody is told: it comes again, as it was, once the store is open again.
  private func loseAnAnswer() throws {
    let turn = someTurn()
    try apply(turn, "a turn whose answer is lost")
    if below(2) == 0 { try scene.reopen() }
    try apply(turn, "a turn that comes again")
  }

  /// Nothing of it is done, whatever it asked for beside.
  private func refuseATurn() throws {
    latest = "a turn with an unknown phase"
    var turn = someTurn()
    turn.claims.append(Claim(phase: 3, worker: .named("worker-1"), limit: 1))
    do {
      _ = try scene.store.apply(turn)
      throw Difference(description: "it was not refused")
    } catch let error as StoreError {
      try expect(error.kind, .misconfigured, "the refusal")
    }
    try scene.reopen()
  }
}

/// What people and upkeep do.
extension LifecycleWorld {
  private func cancel() throws {
    let id = someID()
    latest = "cancel"
    let found = try scene.store.cancel(id, now: scene.now)
    let expected = reference.cancel(id, now: scene.now)
    try expect(found?.was, expected?.was, "the state it had")
    try expect(found?.lease, expected?.lease, "the broken lease")
  }

  private func requeue() throws {
    let (id, instructions) = (someID(), someBytes())
    latest = "requeue with instructions"
    let found = try scene.store.requeue(id, with: instructions, now: scene.now)
    let expected = reference.requeue(id, with: instructions, now: scene.now)
    try expect(found?.was, expected?.was, "the state it had")
    let phases = expected?.phase.map { [$0: 1] } ?? [:]
    try expect(found?.step.requeued ?? [:], phases, "where it went")
  }

  private func perform() throws {
    let action = one(FilterAction.allCases) ?? .cancel
    latest = "\(action) by a filter"
    var filter = JobFilter()
    if below(3) == 0 { filter.id = someID() } else { filter.idPrefix = "job-\(below(4))" }
    if below(2) == 0 { filter.states = Set((0..<3).compactMap { _ in one(JobState.allCases) }) }
    if below(3) == 0 { filter.phase = below(3) }
    let steps = try scene.perform(action, filter, limit: 1 + below(50))
    let expected = reference.perform(action, filter, now: scene.now)
    try expect(scene.failures, [], "steps that are too large")
    try expect(steps.reduce(0) { $0 + $1.changed }, expected.changed, "changed")
    try expect(steps.flatMap(\.cancelled), expected.cancelled, "cancelled")
    try expect(steps.flatMap(\.broken), expected.broken, "broken leases")
    let requeued = steps.reduce(into: [:]) { $0.merge($1.requeued, uniquingKeysWith: +) }
    try expect(requeued, expected.requeued, "requeued")
  }

  private func prune() throws {
    latest = "prune"
    let policy = RetentionPolicy(
      maximumFinished: below(6), maximumAgeMilliseconds: Int64(50 + below(500)), maximumBytes: 1 + below(200),
      maximumDead: below(2) == 0 ? below(4) : nil)
    let limit = 1 + below(5)
    let found = try scene.store.prune(policy, metricsBefore: 0, limit: limit, now: scene.now)
    try expect(found, reference.prune(policy, limit: limit, now: scene.now), "pruned")
  }

  private func pause() throws {
    latest = "pause"
    let phase = below(3)
    let isPaused = pausedPhases.contains(phase)
    try scene.store.setPaused(!isPaused, phase: phase)
    if isPaused { pausedPhases.remove(phase) } else { pausedPhases.insert(phase) }
    try expect(try scene.store.paused().phases, pausedPhases, "paused phases")
  }

  private func reopen() throws {
    latest = "reopen"
    try scene.reopen()
    try expect(try scene.store.paused().phases, pausedPhases, "paused phases")
  }

  private func lookAtEverything() throws {
    let page = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 100)
    let expected = reference.dump
    for (found, expected) in zip(page.jobs, expected) { try expect(found, expected, "job \(expected.id)") }
    try expect(page.jobs.map(\.id), expected.map(\.id), "jobs")
    try expect(try scene.store.counts(), StoreCounts(of: page.jobs, phases: 3), "counts beside the jobs")
    try expect(
      try scene.store.runningJobs().sorted { $0.token < $1.token }, reference.running, "leases")
  }
}
