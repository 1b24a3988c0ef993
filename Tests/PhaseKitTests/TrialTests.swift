import PhaseKit
import Testing

private struct Halve: Phase, ConfiguredPhase {
  static let jobType = "halve"
  struct Settings: Decodable, Sendable { var by: Int? }
  struct Input: Decodable, Sendable { var n: Int }
  struct Output: Encodable, Sendable { var n: Int }
  let divisor: Int

  init(settings: Settings) throws {
    guard settings.by != 0 else { throw PhaseError.permanent("by must not be 0") }
    divisor = settings.by ?? 2
  }

  func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    try job.checkCancellation()
    job.progress(0.5, note: "half")
    switch input.n {
    case 0: return nil
    case 1: throw PhaseError.badInput("1 cannot be halved")
    case 3 where job.attempt < 3: throw PhaseError.failed("not yet")
    case 5: throw PhaseError.failed("never")
    case 7 where job.attempt < 9: throw PhaseError.retry("busy")
    case 9: throw PhaseError.retry("busy for ever")
    default: break
    }
    job.logger.info("halving \(input.n) of \(job.id)", metadata: ["n": "\(input.n)"])
    job.metrics.count("halved")
    job.metrics.gauge("n", Double(input.n))
    return Output(n: input.n / divisor)
  }
}

private struct Halves: Pipeline {
  static let name = "halves"
  static let phases = ["halve", "halve"]
}

private struct Hasty: Pipeline {
  static let name = "hasty"
  static let phases = [PipelineStep("halve", attempts: 1)]
}

/// What authors test their phases with, against what a coordinator does (`RetryPolicy`).
@Suite struct TrialTests {
  private func run(_ instructions: String, settings: Instructions = .init()) async throws -> PipelineTrial.End {
    try await PipelineTrial(Halves.self, phases: [Halve.self], settings: settings).run(instructions)
  }

  @Test func `A phase is run like any function, and what it says is kept`() async throws {
    let recorder = JobRecorder()
    let context = JobContext(testing: "job-1", attempt: 2, recorder: recorder)
    let phase = try Halve(settings: .init(by: nil))
    #expect(try await phase.execute(.init(n: 8), context)?.n == 4)
    #expect(recorder.lines.map(\.message) == ["halving 8 of job-1"] && recorder.lines[0].level == .info)
    #expect(recorder.lines[0].metadata == ["n": "8"])
    #expect(recorder.counters == ["halved": 1] && recorder.gauges == ["n": 8])
    #expect(recorder.progress.map(\.fraction) == [0.5] && recorder.progress[0].note == "half" && context.attempt == 2)
    recorder.cancel()
    await #expect(throws: CancellationError.self) { _ = try await phase.execute(.init(n: 8), context) }
  }

  @Test func `Results are merged, and settings reach the phases`() async throws {
    let end = try await run(#"{"n": 8, "kept": 1e309}"#)
    #expect(end.state == .succeeded && end.instructions["n"] == .integer(2))
    #expect(end.instructions["kept"] == .literal("1e309"))
    #expect(end.attempts.map(\.number) == [1, 1] && end.recorder.lines.count == 2)
    let settings = Instructions(["by": .integer(10)])
    #expect(try await run(#"{"n": 200}"#, settings: settings).instructions["n"] == .integer(2))
  }

  @Test func `Failures count, wishes to be tried again do not, bad input is for good`() async throws {
    let third = try await run(#"{"n": 3}"#)
    #expect(third.attempts.map(\.error) == ["not yet", "not yet", nil, "1 cannot be halved"])
    #expect(third.state == .dead && third.attempts.last?.errorType == "BadInput")
    let never = try await run(#"{"n": 5}"#)
    #expect(never.state == .dead && never.attempts.count == 3)
    let busy = try await run(#"{"n": 7}"#)
    #expect(busy.attempts.count == 9 + 3 && busy.attempts[8].error == nil)
    let once = try await PipelineTrial(Hasty.self, phases: [Halve.self]).run(#"{"n": 3}"#)
    #expect(once.state == .dead && once.attempts.count == 1)
    await #expect(throws: PipelineTrial.Problem.self) { _ = try await run(#"{"n": 9}"#) }
  }

  @Test func `What cannot be tried is a problem in words`() async throws {
    #expect(throws: PipelineTrial.Problem.self) { try PipelineTrial(Halves.self, phases: []) }
    #expect(throws: PhaseError.self) {
      try PipelineTrial(Halves.self, phases: [Halve.self], settings: Instructions(["by": .integer(0)]))
    }
    await #expect(throws: PipelineTrial.Problem.self) { _ = try await run("[]") }
  }
}
