import JobStorage
import PipelineModel
import Testing

/// The decisions alone, without a store.
@Suite struct JobLifecycleTests {
  private let now = Timestamp(milliseconds: 1_000)
  private let error = JobError(type: "Broken", message: "it broke")
  private let held = JobCounters(attempt: 4, failures: 1, crashes: 2, losses: 3)

  private func attempt(_ outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord(
      phase: 1, number: 4, worker: .named("w"), plugin: "", startedAt: now, endedAt: now, outcome: outcome)
  }

  private func settlement(_ effect: Effect, _ outcome: AttemptOutcome? = .succeeded, from: Int = 1) -> Settlement {
    Settlement(
      job: .named("a"), token: LeaseToken(7), from: from, counters: held, attempt: outcome.map(attempt),
      effect: effect)
  }

  private func running(under token: UInt64 = 7) -> Standing {
    Standing(state: .running, phase: 1, token: LeaseToken(token), counters: held)
  }

  private func move(_ effect: Effect, _ outcome: AttemptOutcome? = .succeeded) -> Move? {
    JobLifecycle.settle(settlement(effect, outcome), of: running(), dueBy: now)
  }

  @Test func aPhaseThatIsDoneLeavesNothingBehind() {
    let next = Move(
      to: .queue(2, atFront: false), counters: .zero, instructions: [1], attempt: attempt(.succeeded), error: .forgotten
    )
    #expect(move(.advance(to: 2, instructions: [1])) == next)
    let end = move(.succeed(instructions: nil))
    #expect(end?.to == .finished(.succeeded) && end?.error == .forgotten && end?.instructions == nil)
    #expect(end?.counters == JobCounters(attempt: 4, failures: 0, crashes: 0, losses: 0))
  }

  @Test(arguments: AttemptOutcome.allCases)
  func whatAnAttemptCountsAsIsItsOutcomes(_ outcome: AttemptOutcome) {
    let counted = held.counting(outcome)
    for effect in [Effect.retry(at: now, error), .bury(error), .cancel(error)] {
      let made = move(effect, outcome)
      #expect(made?.counters == counted && made?.error == .replaced(error))
    }
    let added = counted.failures + counted.crashes + counted.losses - 6
    #expect(added == ([.failed, .timedOut, .permanentFailure, .crashed, .lost].contains(outcome) ? 1 : 0))
    #expect(counted.attempt == 4)
  }

  @Test func aRetryWaitsForItsTime() {
    #expect(move(.retry(at: now, error), .failed)?.to == .queue(1, atFront: false))
    #expect(move(.retry(at: now + 1, error), .failed)?.to == .delayed(until: now + 1))
    #expect(move(.bury(error), .failed)?.to == .finished(.dead))
    #expect(move(.cancel(error), .cancelled)?.to == .finished(.cancelled))
  }

  @Test func whatNeverBeganIsNotCounted() {
    let back = move(.toFront(losses: nil), nil)
    #expect(back?.to == .queue(1, atFront: true) && back?.error == .kept && back?.attempt == nil)
    #expect(back?.counters == JobCounters(attempt: 3, failures: 1, crashes: 2, losses: 3))
    let lost = move(.toFront(losses: 5), .lost)
    #expect(lost?.counters == JobCounters(attempt: 4, failures: 1, crashes: 2, losses: 5))
  }

  @Test func onlyTheHolderOfTheLeaseInItsPhaseSettlesIt() {
    let wanted = settlement(.succeed(instructions: nil))
    #expect(JobLifecycle.settle(wanted, of: running(under: 8), dueBy: now) == nil)
    #expect(
      JobLifecycle.settle(settlement(.succeed(instructions: nil), from: 0), of: running(), dueBy: now) == nil)
    for state in JobState.allCases where state != .running {
      let job = Standing(state: state, phase: 1, token: LeaseToken(7), counters: held)
      #expect(JobLifecycle.settle(wanted, of: job, dueBy: now) == nil)
    }
  }

  @Test(arguments: JobState.allCases)
  func eachStateHasItsWaysOut(_ state: JobState) {
    let job = Standing(state: state, phase: 1, counters: held)
    let gone = Standing(state: state, phase: nil, counters: held)
    let requeued = JobLifecycle.requeue(job, with: [1])
    #expect((requeued != nil) == [.dead, .cancelled, .delayed].contains(state))
    #expect(requeued == nil || requeued?.to == .queue(1, atFront: false))
    #expect(requeued == nil || requeued?.counters == (state == .delayed ? held : .zero))
    #expect(JobLifecycle.requeue(gone, with: nil) == nil)
    #expect((JobLifecycle.promote(job) != nil) == (state == .delayed))
    let cancelled = JobLifecycle.cancel(job, lease: nil, now: now)
    #expect((cancelled == nil) == state.isFinal)
    #expect(cancelled == nil || cancelled?.counters == held && cancelled?.to == .finished(.cancelled))
  }
}
