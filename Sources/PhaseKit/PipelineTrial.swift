import CPhaseABI

/// Runs jobs through a pipeline in this process, with its phases given as types: for tests of a pipeline. Results are merged
/// into the instructions, and attempts that fail are made again, as a coordinator does, but without the waits between them.
///
///     let trial = try PipelineTrial(ExampleOne.self, phases: [GenerateFile.self, CalculateHash.self, DeleteFile.self])
///     let end = try await trial.run(#"{"size": 10}"#)
///     #expect(end.state == .succeeded)
///
/// A phase that traps ends the test: what crashes, hangs or leaks do is what `carbontube plugins test` and `run` are for.
public struct PipelineTrial: Sendable {
  /// One run of one phase.
  public struct Attempt: Hashable, Sendable {
    public let jobType: String
    /// From 1 in each phase.
    public let number: Int
    /// Nil where it succeeded.
    public let error: String?
    /// Short class of the error, such as `BadInput`.
    public let errorType: String?
  }

  /// How a job ended.
  public struct End: Sendable {
    /// `.succeeded` or `.dead`.
    public let state: FinishedJob.State
    /// As enqueued, with the results of all phases merged in.
    public let instructions: Instructions
    public let attempts: [Attempt]
    /// What the phases logged and told of their progress.
    public let recorder: JobRecorder
  }

  /// Why a pipeline cannot be tried.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// A coordinator's, where a step says none (`RetryPolicy`).
  static let attemptsByDefault = 3
  /// Of attempts after which a phase asks for another one, which do not count as failures: a trial must end.
  static let mostRetries = 100

  private struct Station: Sendable {
    let step: PipelineStep
    let phase: any AnyPhase
  }

  private let name: String
  private let stations: [Station]

  /// - Parameters:
  ///   - pipeline: what is tried.
  ///   - phases: all that the pipeline names; others are not used.
  ///   - settings: what those that are `ConfiguredPhase`s are made with.
  /// - Throws: `Problem` where a phase is missing; whatever `init(settings:)` throws.
  public init<Author: Pipeline>(
    _ pipeline: Author.Type, phases: [any AnyPhase.Type], settings: Instructions = Instructions()
  ) throws {
    name = pipeline.name
    let json = try settings.encoded()
    stations = try pipeline.phases.map(\.step).map { step in
      guard let type = phases.first(where: { $0.jobType == step.jobType }) else {
        throw Problem(
          description: "pipeline \(pipeline.name) has the phase '\(step.jobType)', and none of `phases` is it")
      }
      return Station(step: step, phase: try makeInstance(of: type, settings: json))
    }
  }

  /// - Parameters:
  ///   - instructions: a JSON object.
  ///   - id: of the job.
  ///   - workDirectory: what phases get as their folder for scratch files.
  /// - Throws: `Problem` for instructions that are no JSON object, and where a phase asks to be tried again without end.
  public func run(
    _ instructions: String, id: String = "trial", workDirectory: String? = nil
  ) async throws -> End {
    let recorder = JobRecorder()
    var members: Instructions
    do {
      members = try Instructions(parsing: Array(instructions.utf8))
    } catch {
      throw Problem(description: "the instructions are no JSON object: \(error.message)")
    }
    var attempts: [Attempt] = []
    for station in stations {
      let hasPassed = try await pass(station, &members, &attempts) { number in
        JobContext(
          testing: id, attempt: number, pipeline: name, workDirectory: workDirectory, recorder: recorder)
      }
      guard hasPassed else {
        return End(state: .dead, instructions: members, attempts: attempts, recorder: recorder)
      }
    }
    return End(state: .succeeded, instructions: members, attempts: attempts, recorder: recorder)
  }

  /// - Returns: false where the job is dead.
  private func pass(
    _ station: Station, _ members: inout Instructions, _ attempts: inout [Attempt], _ context: (Int) -> JobContext
  ) async throws -> Bool {
    var (failures, retries, number) = (0, 0, 0)
    while true {
      number += 1
      let job = context(number)
      let outcome: CallOutcome
      do {
        let result = try await station.phase.executeEncoded(members.encoded(), job)
        let added = try result.map { try Instructions(parsing: $0) }
        members.members.merge(added?.members ?? [:]) { _, new in new }
        attempts.append(Attempt(jobType: station.step.jobType, number: number, error: nil, errorType: nil))
        return true
      } catch {
        outcome = CallOutcome(error, place: station.step.jobType, isCancelled: job.isCancelled)
      }
      attempts.append(
        Attempt(jobType: station.step.jobType, number: number, error: outcome.message, errorType: outcome.type))
      switch Int(outcome.status) {
      case CT_PERMANENT, CT_BAD_INPUT, CT_UNSUPPORTED, CT_CANCELLED: return false
      case CT_RETRY: retries += 1
      default: failures += 1
      }
      if failures >= max(1, station.step.attempts ?? Self.attemptsByDefault) { return false }
      guard retries < Self.mostRetries else {
        throw Problem(description: "\(station.step.jobType) asked \(retries) times to be tried again")
      }
    }
  }
}
