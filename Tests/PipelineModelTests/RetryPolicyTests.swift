import Testing

@testable import PipelineModel

@Suite struct RetryPolicyTests {
  private let now = Timestamp(milliseconds: 1_000_000)
  private let policy = RetryPolicy(
    attempts: 3, crashes: 2, backoffMilliseconds: 1_000, maximumBackoffMilliseconds: 5_000)

  private func verdict(
    _ outcome: AttemptOutcome, failures: Int = 1, crashes: Int = 0, after: Int64? = nil, jitter: Double = 0
  ) -> RetryPolicy.Verdict {
    policy.verdict(
      on: outcome, failures: failures, crashes: crashes, retryAfterMilliseconds: after, now: now, jitter: jitter)
  }

  @Test(arguments: [AttemptOutcome.failed, .timedOut])
  func failuresAreRetriedUntilTheAttemptsAreUsedUp(outcome: AttemptOutcome) {
    #expect(verdict(outcome, failures: 1) == .retry(at: now + 500))
    #expect(verdict(outcome, failures: 2) == .retry(at: now + 1_000))
    #expect(verdict(outcome, failures: 3) == .bury)
  }

  @Test func eachOutcomeHasItsVerdict() {
    #expect(verdict(.permanentFailure) == .bury)
    #expect(verdict(.cancelled) == .cancel)
    #expect(verdict(.retryRequested, failures: 99, after: 4_200) == .retry(at: now + 4_200))
    #expect(verdict(.crashed, crashes: 1) == .retry(at: now))
    #expect(verdict(.crashed, crashes: 2) == .bury)
    for outcome in [AttemptOutcome.lost, .handedBack] {
      #expect(verdict(outcome, failures: 99, crashes: 99) == .retry(at: now))
    }
  }

  @Test func backoffDoublesToItsCeilingAndHalfOfItIsJitter() {
    #expect((1...5).map { policy.backoff(after: $0, jitter: 0) } == [500, 1_000, 2_000, 2_500, 2_500])
    #expect((1...5).map { policy.backoff(after: $0, jitter: 1) } == [1_000, 2_000, 4_000, 5_000, 5_000])
    #expect(policy.backoff(after: 1, jitter: 0.5) == 750)
    #expect(policy.backoff(after: .max, jitter: 7) == 5_000)
    let endless = RetryPolicy(backoffMilliseconds: .max, maximumBackoffMilliseconds: .max)
    #expect(endless.backoff(after: 60, jitter: 0) == .max / 2)
  }

  @Test func whatAPhaseAsksForIsBounded() {
    for wait in [Int64.min, -1, 0, 1, 99, 100] {
      #expect(verdict(.retryRequested, after: wait) == .retry(at: now + 100))
    }
    let century = longestDurationMilliseconds
    for wait in [century, century + 1, .max] {
      #expect(verdict(.retryRequested, after: wait) == .retry(at: now + century))
    }
    #expect(RetryPolicy.requestedWait(milliseconds: .max) == century)
    #expect(RetryPolicy.requestedWait(milliseconds: 1) == 100)
    // The policy's own wait has the same floor: what is asked for costs as much however it came about.
    let hasty = RetryPolicy(backoffMilliseconds: 0)
    let verdict = hasty.verdict(
      on: .retryRequested, failures: 0, crashes: 0, retryAfterMilliseconds: nil, now: now, jitter: 0)
    #expect(verdict == .retry(at: now + 100))
  }

  @Test func absurdSettingsBecomeTheNearestSensibleOnes() {
    let policy = RetryPolicy(attempts: -1, crashes: 0, backoffMilliseconds: -5, maximumBackoffMilliseconds: -5)
    #expect(policy.attempts == 1 && policy.crashes == 1)
    #expect(policy.backoff(after: 3, jitter: 1) == 0)
  }
}

@Suite struct NameTests {
  @Test(arguments: ["a", "calculate-hash", "0.x_y", String(repeating: "a", count: 64)])
  func roleNames(name: String) { #expect(isRoleName(name)) }

  @Test(arguments: ["", "A", "-a", ".a", "a b", "a/b", "ä", String(repeating: "a", count: 65)])
  func noRoleNames(name: String) { #expect(!isRoleName(name)) }

  @Test func idsArePlain() {
    #expect(JobID("a{b}:*") != nil && JobID(String(repeating: "x", count: 128)) != nil)
    for text in ["", " ", "a b", "a\n", "é", String(repeating: "x", count: 129)] { #expect(JobID(text) == nil) }
  }

  @Test func definitionsRefuseWhatCannotBeServed() throws {
    let phase = PhaseDefinition(jobType: "cut")
    #expect(throws: PipelineDefinitionError.self) { try PipelineDefinition(name: "A", phases: [phase]) }
    #expect(throws: PipelineDefinitionError.self) { try PipelineDefinition(name: "a", phases: []) }
    #expect(throws: PipelineDefinitionError.self) {
      try PipelineDefinition(name: "a", phases: [PhaseDefinition(jobType: "No")])
    }
    let twice = try PipelineDefinition(name: "a", phases: [phase, PhaseDefinition(jobType: "glue"), phase])
    #expect(twice.phases(of: "cut") == [0, 2] && twice.phases(of: "paint").isEmpty)
  }

  @Test func timesSaturate() {
    let last = Timestamp(milliseconds: .max)
    #expect(last + 1 == last && Timestamp(milliseconds: .min) + -1 == Timestamp(milliseconds: .min))
    #expect(last - Timestamp(milliseconds: -1) == .max)
  }
}
