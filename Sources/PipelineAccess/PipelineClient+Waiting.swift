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
  /// Between questions to a coordinator that answers at once: it is busy, or its store is away.
  private static var shortestPause: Int { 200 }
  private static var longestPause: Int { 2_000 }

  private struct EndDocument: Decodable {
    var id: String
    var state: String
  }

  /// Blocks until the job has ended; it may have ended before.
  ///
  /// Any number of threads may wait at a time. A coordinator that cannot be reached for a while, or that is started
  /// again, is asked anew; one for which too many wait already is asked about the job's state now and then.
  ///
  /// - Parameter timeoutMilliseconds: nil waits as long as it takes.
  /// - Throws: `.timedOut`; `.refused` where there is no such job.
  public func waitForEnd(
    of id: String, pipeline: String = "", timeoutMilliseconds: Int? = nil
  ) throws(PipelineClientError) -> JobEnd {
    let deadline = timeoutMilliseconds.map { Instant.now() + Int64($0) }
    let arguments = (try? JSONEncoder().encode(["id": id])).map { [UInt8]($0) } ?? []
    var pause = Self.shortestPause
    while true {
      let rest = deadline.map { Int(clamping: $0 - Instant.now()) } ?? .max
      guard rest > 0 else {
        throw PipelineClientError(.timedOut, "job '\(id)' has not ended within the time given; it goes on")
      }
      let asked = Instant.now()
      if let end = try ask(id, pipeline, arguments, timeoutMilliseconds: min(rest, Self.askAgainMilliseconds)) {
        return end
      }
      // A question that was heard stands until it is asked anew; one that was answered at once does not.
      guard Instant.now() - asked < Self.longestPause else {
        pause = Self.shortestPause
        continue
      }
      usleep(UInt32(min(rest, pause)) * 1_000)
      pause = min(pause * 2, Self.longestPause)
    }
  }

  /// - Returns: nil where it is to be asked again after a while.
  private func ask(
    _ id: String, _ pipeline: String, _ arguments: [UInt8], timeoutMilliseconds: Int
  ) throws(PipelineClientError) -> JobEnd? {
    do throws(PipelineClientError) {
      let answer = try request(
        "await", pipeline: pipeline, arguments: arguments, timeoutMilliseconds: timeoutMilliseconds)
      guard answer.code == .busy else { return try end(of: id, in: answer, isLook: false) }
      let look = try request(
        "job", pipeline: pipeline, arguments: arguments, timeoutMilliseconds: timeoutMilliseconds)
      return try end(of: id, in: look, isLook: true)
    } catch {
      guard error.kind == .timedOut || error.kind == .unreachable || error.kind == .busy else { throw error }
      return nil
    }
  }

  /// - Parameter isLook: the answer tells how the job stands now, which need not be at its end.
  /// - Returns: nil where it has none yet.
  private func end(of id: String, in answer: Answer, isLook: Bool) throws(PipelineClientError) -> JobEnd? {
    switch answer.code {
    case .ok: break
    case .busy, .unavailable, .stopping: return nil
    case .notFound, .invalid, .duplicate: throw PipelineClientError(.refused, "\(address): \(answer.message)")
    }
    do {
      let document = try JSONDecoder().decode(EndDocument.self, from: Data(answer.body))
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
