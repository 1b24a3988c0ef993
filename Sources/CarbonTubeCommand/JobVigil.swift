internal import CarbonTube
internal import FoundationEssentials

/// How a job ended that somebody waited for at the terminal.
struct WatchedEnd {
  var id: String
  var state: JobState
  var instructions: [UInt8]
  /// Why it did not succeed, as far as the coordinator tells.
  var error: JobDocument.Failure?

  var json: String { "{\(members)}" }

  /// The last of those that `attach` tells of.
  var event: String { #"{"event":"end",\#(members)}"# }

  private var members: String {
    let reason = error.map { #","error":\#(JSONText.of($0))"# } ?? ""
    return #""id":\#(JSONText.of(id)),"state":"\#(state)","#
      + #""instructions":\#(JSONText.onOneLine(instructions))\#(reason)"#
  }

  var line: String {
    let reason = error.map { "  \($0.summary)" } ?? ""
    return "\(id)  \(state)  \(JSONText.shown(instructions))\(reason)"
  }
}

/// Waits for jobs at the terminal: says what holds them up, and why one did not succeed.
struct JobVigil {
  private let client: PipelineClient
  private let pipeline: String
  private let deadline: Instant?
  private var notes: Set<String> = []

  /// Nothing is said about a job that ends sooner.
  private static var patienceMilliseconds: Int64 { 3_000 }
  /// Between looks of whoever looks on.
  private static var lookMilliseconds: Int64 { 250 }

  /// - Parameter timeoutMilliseconds: from now, for all; nil: as long as it takes.
  init(_ client: PipelineClient, pipeline: String, timeoutMilliseconds: Int64?) {
    self.client = client
    self.pipeline = pipeline
    deadline = timeoutMilliseconds.map { Instant.now() + $0 }
  }

  /// - Parameter lookOn: called at once and again and again until the job has ended; nil: nobody looks on.
  mutating func end(of id: String, lookOn: (() -> Void)? = nil) throws(CommandFailure) -> WatchedEnd {
    var notedAt = Instant.now()
    while true {
      lookOn?()
      let rest = deadline.map { $0 - Instant.now() } ?? .max
      let step = min(max(1, rest), lookOn == nil ? Self.patienceMilliseconds : Self.lookMilliseconds)
      do throws(PipelineClientError) {
        let end = try client.waitForEnd(of: id, pipeline: pipeline, timeoutMilliseconds: Int(step))
        return WatchedEnd(
          id: end.id, state: end.state, instructions: end.instructions,
          error: end.state == .succeeded ? nil : job(id)?.error)
      } catch {
        guard error.kind == .timedOut else { throw CommandFailure(.refused, error.message) }
        guard rest > step else {
          throw CommandFailure(.unavailable, "job '\(id)' has not ended within --wait-timeout; it goes on")
        }
        guard lookOn == nil || Instant.now() - notedAt >= Self.patienceMilliseconds else { continue }
        notedAt = .now()
        noteWhatHolds(id)
      }
    }
  }

  private func job(_ id: String) -> JobDocument? {
    try? client.ask(Verbs.Job.self, .init(id: id), pipeline: pipeline)
  }

  /// Each thing once.
  private mutating func noteWhatHolds(_ id: String) {
    guard let status = try? client.ask(Verbs.Status.self, pipeline: pipeline) else {
      return note("no coordinator answers at \(client.address); waiting for it")
    }
    guard let job = job(id), job.state == JobState.waiting.description else { return }
    guard let phase = status.phases.first(where: { $0.jobType == job.jobType }) else { return }
    if status.paused {
      note("pipeline \(status.pipeline) is paused; carbontube resume goes on")
    } else if phase.paused {
      note("\(phase.jobType) is paused; carbontube resume --phase \(phase.jobType) goes on")
    } else if let reason = phase.note, !reason.isEmpty {
      note("\(phase.jobType): \(reason)")
    } else if phase.workers == 0 {
      note("nobody serves \(phase.jobType); start a worker with: carbontube phase LIB \(phase.jobType)")
    }
  }

  private mutating func note(_ text: String) {
    guard notes.insert(text).inserted else { return }
    StandardStreams.complain("carbontube: \(text)")
  }
}
