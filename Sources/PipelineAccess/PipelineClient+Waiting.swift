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
}

extension PipelineClient {
  /// A coordinator that was started again has forgotten who waits, so it is asked anew after this long.
  private static var askAgainMilliseconds: Int { 5_000 }

  private struct EndDocument: Decodable {
    var id: String
    var state: String
  }

  /// Blocks until the job has ended; it may have ended before.
  ///
  /// Any number of threads may wait at a time. A coordinator that cannot be reached for a while, or that is started
  /// again, is asked anew.
  ///
  /// - Parameter timeoutMilliseconds: nil waits as long as it takes.
  /// - Throws: `.timedOut`; `.refused` where there is no such job.
  public func waitForEnd(
    of id: String, pipeline: String = "", timeoutMilliseconds: Int? = nil
  ) throws(PipelineClientError) -> JobEnd {
    let clock = ContinuousClock()
    let deadline = timeoutMilliseconds.map { clock.now + .milliseconds($0) }
    let arguments = (try? JSONEncoder().encode(["id": id])).map { [UInt8]($0) } ?? []
    while true {
      let rest = deadline.map { Int(clock.now.duration(to: $0) / .milliseconds(1)) } ?? .max
      guard rest > 0 else {
        throw PipelineClientError(.timedOut, "job '\(id)' has not ended within the time given; it goes on")
      }
      let answer: Answer
      do throws(PipelineClientError) {
        answer = try request(
          "await", pipeline: pipeline, arguments: arguments, timeoutMilliseconds: min(rest, Self.askAgainMilliseconds))
      } catch {
        guard error.kind == .timedOut else { throw error }
        continue
      }
      if let end = try end(of: id, in: answer) { return end }
      // Busy, or its store is away: the answer came at once, and so would the next one.
      usleep(200_000)
    }
  }

  /// Nil: to be asked again.
  private func end(of id: String, in answer: Answer) throws(PipelineClientError) -> JobEnd? {
    switch answer.code {
    case .ok: break
    case .busy, .unavailable, .stopping: return nil
    case .notFound, .invalid, .duplicate: throw PipelineClientError(.refused, "\(address): \(answer.message)")
    }
    do {
      let document = try JSONDecoder().decode(EndDocument.self, from: Data(answer.body))
      guard let state = JobState(word: document.state), state.isFinal, let payload = answer.payloads.first else {
        throw WireError("no end of a job")
      }
      return JobEnd(id: document.id, state: state, instructions: try CompressedJSON.json(in: payload))
    } catch {
      throw PipelineClientError(.protocolViolation, "\(address) answers what is no end of a job: \(error)")
    }
  }
}
