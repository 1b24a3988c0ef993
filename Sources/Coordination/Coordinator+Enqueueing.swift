internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// New jobs.
extension Coordinator {
  func handleEnqueue(_ frames: [[UInt8]], bytes: Int, from route: [UInt8]) throws(WireError) {
    let request = try EnqueueRequest(decoding: frames[0])
    guard frames.count == request.jobs.count + 1 else {
      throw WireError("an enqueue request for \(request.jobs.count) jobs with \(frames.count - 1) payloads")
    }
    if let refusal = refusal(for: request.pipeline, bytes: bytes) { return refuse(request, refusal, from: route) }
    checks.checkNew(frames[1...]) { [unowned self] problems in
      // The store may have gone while they were looked at.
      if let refusal = refusal(for: request.pipeline, bytes: bytes) { return refuse(request, refusal, from: route) }
      accept(request, frames, problems, from: route)
    }
  }

  private func accept(
    _ request: EnqueueRequest, _ frames: [[UInt8]], _ problems: [PayloadChecks.Problem?], from route: [UInt8]
  ) {
    let now = moment()
    var reply = EnqueueReply(request: request.request, jobs: [])
    reply.jobs.reserveCapacity(request.jobs.count)
    var accepted = 0
    for (position, job) in request.jobs.enumerated() {
      if let problem = problems[position] {
        reply.jobs.append(EnqueueReply.Job(code: problem.code, id: job.id, message: problem.message))
        continue
      }
      if let id = job.id, Self.isReserved(id) {
        reply.jobs.append(EnqueueReply.Job(code: .invalid, id: id, message: Self.reservedMessage(id)))
        continue
      }
      let id = job.id ?? jobIDs.next(now: now.wall)
      reply.jobs.append(EnqueueReply.Job(code: .ok, id: id))
      let due = job.delayMilliseconds > 0 ? now.steady + job.delayMilliseconds : nil
      let new = NewJob(id: id, priority: job.priority, notBefore: due, instructions: frames[position + 1])
      turns.enqueue(new, into: pipeline.plan.start, position: position)
      accepted += 1
    }
    if accepted == 0 {
      connections.answerOrEnd([reply.encoded()], to: route)
    } else {
      turns.expect(reply, to: route)
    }
  }

  /// Jobs that another job makes will be named PARENT~n.
  private static func isReserved(_ id: JobID) -> Bool { id.text.utf8.contains(UInt8(ascii: "~")) }

  private static func reservedMessage(_ id: JobID) -> String {
    "the id '\(id)' has a '~', which is kept for jobs that jobs make: choose an id without it"
  }

  private typealias EnqueueRefusal = (code: ReplyCode, message: String)

  /// Why no job is taken now, whatever it says.
  private func refusal(for name: String, bytes: Int) -> EnqueueRefusal? {
    if stopRequested { return (.stopping, "pipeline \(pipeline.name) is stopping") }
    if name != pipeline.name {
      return (.invalid, "this coordinator runs pipeline '\(pipeline.name)', not '\(name)'")
    }
    switch health.condition {
    case .open: break
    case .opening: return (.unavailable, "the store is not open yet, try again later")
    case .down(let reason, _): return (.unavailable, reason)
    }
    let hasRoom = turns.hasRoom(for: bytes, within: connections.maximumMessageBytes) && checks.hasRoom(for: bytes)
    return hasRoom ? nil : (.busy, "busy, try again later")
  }

  private func refuse(_ request: EnqueueRequest, _ refusal: EnqueueRefusal, from route: [UInt8]) {
    let jobs = request.jobs.map { EnqueueReply.Job(code: refusal.code, id: $0.id, message: refusal.message) }
    connections.answerOrEnd([EnqueueReply(request: request.request, jobs: jobs).encoded()], to: route)
  }

  func refuse(tooLarge header: [UInt8], bytes: Int, from route: [UInt8]) throws(WireError) {
    let request = try EnqueueRequest(decoding: header)
    let message =
      "a request of \(bytes) bytes; one may have \(connections.maximumMessageBytes): send fewer jobs at a time"
    refuse(request, (.invalid, message), from: route)
  }
}
