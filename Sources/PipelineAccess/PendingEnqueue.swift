internal import PipelineModel
internal import WireProtocol

/// One request of several jobs on its way; those that no coordinator would take never leave.
final class PendingEnqueue {
  struct Accepted: Sendable {
    var position: Int
    var id: JobID?
    var priority: Int
    var delayMilliseconds: Int64
    var payload: [UInt8]
  }

  let accepted: [Accepted]
  /// Nil: nothing was sent.
  var reply: PendingReply?
  private var result: [EnqueueAnswer]

  init(_ jobs: [PipelineClient.Job]) {
    var accepted: [Accepted] = []
    var result: [EnqueueAnswer] = []
    for (position, job) in jobs.enumerated() {
      do throws(InstructionsError) {
        let id = try Self.checkedID(job.id)
        try InstructionsJSON.check(job.instructions)
        guard (-8...7).contains(job.priority) else {
          throw InstructionsError(message: "priority \(job.priority) is not within -8 to 7")
        }
        guard (0...EnqueueRequest.maximumDelayMilliseconds).contains(job.delayMilliseconds) else {
          throw InstructionsError(
            message: "a delay of \(job.delayMilliseconds) ms is not within 0 and 100 years")
        }
        accepted.append(
          Accepted(
            position: position, id: id, priority: job.priority, delayMilliseconds: job.delayMilliseconds,
            payload: CompressedJSON.payload(for: job.instructions)))
        result.append(EnqueueAnswer(code: .unavailable, id: job.id, message: "no answer"))
      } catch {
        result.append(EnqueueAnswer(code: .invalid, id: job.id, message: error.message))
      }
    }
    self.accepted = accepted
    self.result = result
  }

  private static func checkedID(_ text: String?) throws(InstructionsError) -> JobID? {
    guard let text else { return nil }
    guard let id = JobID(text) else {
      throw InstructionsError(
        message: "id '\(text)' must be 1 to \(JobID.maximumLength) printable ASCII characters without spaces")
    }
    return id
  }

  func answers() throws(PipelineClientError) -> [EnqueueAnswer] {
    guard let reply else { return result }
    return try answers(in: reply.wait())
  }

  func answers(in frames: [[UInt8]]) throws(PipelineClientError) -> [EnqueueAnswer] {
    do throws(WireError) {
      let decoded = try EnqueueReply(decoding: frames[0])
      guard decoded.jobs.count == accepted.count else { throw WireError("an answer for another number of jobs") }
      for (job, answer) in zip(accepted, decoded.jobs) {
        result[job.position] = EnqueueAnswer(code: answer.code, id: answer.id?.text, message: answer.message)
      }
      return result
    } catch {
      throw PipelineClientError(.protocolViolation, "what answers is no coordinator of this version: \(error)")
    }
  }

  /// For a request whose answer nobody wants any more.
  func waitUntilOver() { _ = try? reply?.wait() }
}
