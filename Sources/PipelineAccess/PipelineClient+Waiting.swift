internal import ControlProtocol
internal import FoundationEssentials
internal import Glibc
public import PipelineModel
internal import WireProtocol

/// How a job ended, for whoever waited for it.
public struct JobEnd: Hashable, Sendable {
  public var id: String
  /// `.succeeded`, `.dead` or `.cancelled`.
  public var state: JobState
  /// As its last phase left them: JSON text.
  public var instructions: [UInt8]

  /// The final instructions, with the results of all phases in them, as a type of yours.
  /// - Throws: `DecodingError` where they are none.
  public func decoded<Result: Decodable>(as type: Result.Type = Result.self) throws -> Result {
    try JSONDecoder().decode(type, from: Data(instructions))
  }
}

/// When to ask a coordinator again how a job ended. A pure value.
struct AskingAgain {
  /// A coordinator that was started again has forgotten who waits, so it is asked anew after this long.
  private static let askAgainMilliseconds = 5_000
  /// Between questions to a coordinator that answers at once: it is busy, or its store is away.
  private static let shortestPause = 200
  private static let longestPause = 2_000

  let deadline: Instant?
  private var pause = Self.shortestPause

  init(deadline: Instant?) { self.deadline = deadline }

  /// How long the next question stands, in milliseconds; nil: the time is over.
  func timeout(now: Instant) -> Int? {
    let rest = rest(now: now)
    return rest > 0 ? min(rest, Self.askAgainMilliseconds) : nil
  }

  /// Milliseconds to wait before the next question. One that was heard stands until it is asked anew; one that was
  /// answered at once does not.
  mutating func pause(asked: Instant, now: Instant) -> Int {
    guard now - asked < Self.longestPause else {
      pause = Self.shortestPause
      return 0
    }
    defer { pause = min(pause * 2, Self.longestPause) }
    return max(0, min(rest(now: now), pause))
  }

  private func rest(now: Instant) -> Int { deadline.map { Int(clamping: $0 - now) } ?? .max }
}

extension PipelineClient {
  /// Blocks until the job has ended; it may have ended before.
  ///
  /// Any number of threads may wait at a time. A coordinator that cannot be reached for a while, or that is started
  /// again, is asked anew; one for which too many wait already is asked about the job's state now and then.
  ///
  /// - Parameter timeoutMilliseconds: nil waits as long as it takes.
  /// - Throws: `.timedOut`; `.refused` where there is no such job.
  @available(*, noasync, message: "blocks; in a task write: try await waitForEnd(…)")
  public func waitForEnd(
    of id: String, pipeline: String = "", timeoutMilliseconds: Int? = nil
  ) throws(PipelineClientError) -> JobEnd {
    var asking = AskingAgain(deadline: timeoutMilliseconds.map { Instant.now() + Int64($0) })
    let arguments = ControlJSON.text(of: Verbs.JobArguments(id: id))
    while let limit = asking.timeout(now: .now()) {
      let asked = Instant.now()
      do throws(PipelineClientError) {
        let answer = try request(Verbs.Await.name, pipeline: pipeline, arguments: arguments, timeoutMilliseconds: limit)
        if answer.code != .busy, let end = try end(of: id, in: answer, isLook: false) { return end }
        if answer.code == .busy {
          let look = try request(Verbs.Job.name, pipeline: pipeline, arguments: arguments, timeoutMilliseconds: limit)
          if let end = try end(of: id, in: look, isLook: true) { return end }
        }
      } catch {
        guard Self.passes(error) else { throw error }
      }
      usleep(UInt32(asking.pause(asked: asked, now: .now())) * 1_000)
    }
    throw Self.outOfTime(id)
  }

  /// See the other form; blocks no thread.
  public func waitForEnd(
    of id: String, pipeline: String = "", timeoutMilliseconds: Int? = nil
  ) async throws -> JobEnd {
    var asking = AskingAgain(deadline: timeoutMilliseconds.map { Instant.now() + Int64($0) })
    let arguments = ControlJSON.text(of: Verbs.JobArguments(id: id))
    while let limit = asking.timeout(now: .now()) {
      let asked = Instant.now()
      do {
        let answer = try await request(
          Verbs.Await.name, pipeline: pipeline, arguments: arguments, timeoutMilliseconds: limit)
        if answer.code != .busy, let end = try end(of: id, in: answer, isLook: false) { return end }
        if answer.code == .busy {
          let look = try await request(
            Verbs.Job.name, pipeline: pipeline, arguments: arguments, timeoutMilliseconds: limit)
          if let end = try end(of: id, in: look, isLook: true) { return end }
        }
      } catch let error as PipelineClientError {
        guard Self.passes(error) else { throw error }
      }
      try await Task.sleep(for: .milliseconds(asking.pause(asked: asked, now: .now())))
    }
    throw Self.outOfTime(id)
  }

  /// Nobody answered; the job goes on, and whoever answers next may know of it.
  private static func passes(_ error: PipelineClientError) -> Bool {
    error.kind == .timedOut || error.kind == .unreachable || error.kind == .busy
  }

  private static func outOfTime(_ id: String) -> PipelineClientError {
    PipelineClientError(.timedOut, "job '\(id)' has not ended within the time given; it goes on")
  }

  /// - Parameter isLook: the answer tells how the job stands now, which need not be at its end.
  /// - Returns: nil where it has none yet.
  private func end(of id: String, in answer: Answer, isLook: Bool) throws(PipelineClientError) -> JobEnd? {
    switch answer.code {
    case .ok: break
    case .busy, .unavailable, .stopping: return nil
    case .notFound, .invalid, .unfit, .duplicate: throw PipelineClientError(.refused, "\(address): \(answer.message)")
    }
    do {
      // The answer about how a job stands has the members of the one about its end, and more.
      let document = try answer.decoded(as: EndDocument.self)
      guard let state = JobState(word: document.state), let payload = answer.payloads.first else {
        throw WireError("no end of a job")
      }
      guard state.isFinal else {
        guard isLook else { throw WireError("no end of a job") }
        return nil
      }
      return JobEnd(id: document.id, state: state, instructions: try CompressedJSON.json(in: payload))
    } catch {
      throw PipelineClientError(.protocolViolation, "\(address) answers what is no end of a job: \(error)")
    }
  }
}
