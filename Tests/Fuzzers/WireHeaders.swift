import PipelineModel
import WireProtocol

extension FuzzTarget {
  /// Header frames and subscriptions, as anybody may send them to a socket.
  static let wireHeaders = FuzzTarget(name: "wire-headers", seeds: wireSeeds) { bytes in
    checkSubscription(bytes)
    checkOlderProtocol(bytes)
    guard let kind = try? Prologue.kind(of: bytes) else { return }
    switch kind {
    case .hello: expectRoundTrip(bytes, decode: Hello.init(decoding:)) { $0.encoded() }
    case .credit: expectRoundTrip(bytes, decode: CreditMessage.init(decoding:)) { $0.encoded() }
    case .progress: expectRoundTrip(bytes, decode: ProgressReport.init(decoding:)) { $0.encoded() }
    case .log: expectRoundTrip(bytes, decode: LogLine.init(decoding:)) { $0.encoded() }
    case .measures: expectRoundTrip(bytes, decode: MeasuresReport.init(decoding:)) { $0.encoded() }
    case .goodbye: expectRoundTrip(bytes, decode: Goodbye.init(decoding:)) { $0.encoded() }
    case .welcome: expectRoundTrip(bytes, decode: Welcome.init(decoding:)) { $0.encoded() }
    case .refused: expectRoundTrip(bytes, decode: WorkerRefusal.init(decoding:)) { $0.encoded() }
    case .demand: expectRoundTrip(bytes, decode: Demand.init(decoding:)) { $0.encoded() }
    case .began: expectRoundTrip(bytes, decode: BeganReport.init(decoding:)) { $0.encoded() }
    case .begin: expectRoundTrip(bytes, decode: BeginAnswer.init(decoding:)) { $0.encoded() }
    case .jobs: expectRoundTrip(bytes, decode: JobOrders.init(decoding:)) { $0.encoded() }
    case .cancel, .recall: expectRoundTrip(bytes, decode: LeaseOrder.init(decoding:)) { $0.encoded(as: kind) }
    case .drain: expectRoundTrip(bytes, decode: DrainOrder.init(decoding:)) { $0.encoded() }
    case .release: expectRoundTrip(bytes, decode: ReleaseOrder.init(decoding:)) { $0.encoded() }
    case .results: expectRoundTrip(bytes, decode: AttemptReports.init(decoding:)) { $0.encoded() }
    case .resultAck: expectRoundTrip(bytes, decode: ReportAcknowledgement.init(decoding:)) { $0.encoded() }
    case .enqueue: expectRoundTrip(bytes, decode: EnqueueRequest.init(decoding:)) { $0.encoded() }
    case .request: expectRoundTrip(bytes, decode: Request.init(decoding:)) { $0.encoded() }
    case .enqueueReply: expectRoundTrip(bytes, decode: EnqueueReply.init(decoding:)) { $0.encoded() }
    case .reply: expectRoundTrip(bytes, decode: Reply.init(decoding:)) { $0.encoded() }
    }
  }
}

private func checkSubscription(_ bytes: [UInt8]) {
  guard case .begun(let address)? = MeetingTopic.subscription(in: bytes) else { return }
  expect([1] + MeetingTopic.topic(for: address) == bytes, "another subscription than that to \(address)")
  let replaced = replacingWildcardHost(in: address, with: "::1")
  expect(addressProblem(replaced, binding: false) == nil, "not one to connect to: \(replaced)")
}

private func checkOlderProtocol(_ bytes: [UInt8]) {
  guard let answer = OlderProtocol.refusal(of: bytes, message: "no") else { return }
  let isReply = answer.count == 2
  let isAnswer = isReply ? (try? Reply(decoding: answer[0])) != nil : (try? EnqueueReply(decoding: answer[0])) != nil
  expect(isAnswer && answer[0][2] == 1, "an answer that is none")
}

private func wireSeeds() -> [[UInt8]] {
  guard let worker = WorkerID("w-1"), let job = JobID("job-1") else { return [] }
  let older = requestSeeds(job).map { seed in
    var seed = seed
    seed[2] = 1
    return seed
  }
  let subscriptions = ["tcp://*:5050", "tcp://[::1]:1", "ipc:///tmp/jobs"].map { [1] + MeetingTopic.topic(for: $0) }
  return eventSeeds(worker, job) + orderSeeds(worker, job) + requestSeeds(job) + older + subscriptions
}

private func eventSeeds(_ worker: WorkerID, _ job: JobID) -> [[UInt8]] {
  let tokens = [LeaseToken(1), LeaseToken(.max)]
  let error = JobError(type: "FileMissing", message: "no file", location: "a.swift:1", standardErrorTail: "tail")
  let report = AttemptReport(
    job: job, token: tokens[0], outcome: .failed, startedAt: Timestamp(milliseconds: 1), durationMicroseconds: 2,
    hasInstructions: true, retryAfterMilliseconds: 3, plugin: "0123456789ab", error: error)
  return [
    Hello(
      worker: worker, instance: 300, jobType: "resize", host: "host", processID: 1, concurrency: 2, state: .serving,
      succeeded: 3, failed: 4, plugin: "0123456789ab", pluginFile: "libA.so", inFlight: tokens, reason: "few",
      isShared: true, credit: JobCredit(number: 300, jobs: 128)
    ).encoded(),
    CreditMessage(worker: worker, credit: JobCredit(number: .max, jobs: 0)).encoded(),
    BeganReport(worker: worker, tokens: tokens).encoded(),
    ProgressReport(worker: worker, job: job, token: tokens[1], fraction: 0.5, note: "half").encoded(),
    LogLine(worker: worker, job: job, level: .warning, text: "line").encoded(),
    LogLine(worker: worker, job: nil, level: .debug, text: "").encoded(),
    MeasuresReport(
      worker: worker,
      measures: [
        PhaseMeasure(name: "files", reading: .counter(3)),
        PhaseMeasure(name: "depth", reading: .gauge(latest: 2, lowest: -1, highest: 5)),
      ]
    ).encoded(),
    Goodbye(worker: worker, reason: "drained").encoded(),
    AttemptReports(worker: worker, pipeline: "p", reports: [report]).encoded(),
    ReportAcknowledgement(tokens: tokens).encoded(),
  ]
}

private func orderSeeds(_ worker: WorkerID, _ job: JobID) -> [[UInt8]] {
  let tokens = [LeaseToken(7)]
  let order = JobOrder(job: job, token: tokens[0], attempt: 1, timeoutMilliseconds: 60_000)
  return [
    Welcome(
      worker: worker, coordinator: "c", pipeline: "p", maximumInstructionsBytes: 16 << 20
    ).encoded(),
    WorkerRefusal(worker: worker, reason: .idTaken, message: "another has it").encoded(),
    Demand(worker: worker, waiting: 20_000, credit: 300).encoded(),
    JobOrders(worker: worker, pipeline: "p", jobs: [order, order], credit: 300).encoded(),
    BeginAnswer(tokens: tokens).encoded(),
    LeaseOrder(worker: worker, tokens: tokens).encoded(as: .cancel),
    LeaseOrder(worker: worker, tokens: tokens).encoded(as: .recall),
    DrainOrder(worker: worker).encoded(),
    ReleaseOrder(worker: worker, plugin: "0123456789ab").encoded(),
  ]
}

private func requestSeeds(_ job: JobID) -> [[UInt8]] {
  [
    EnqueueRequest(
      request: 1, pipeline: "p", jobs: [EnqueueRequest.Job(id: job, priority: -8), EnqueueRequest.Job(id: nil)]
    ).encoded(),
    Request(request: .max, pipeline: "p", verb: "status").encoded(),
    EnqueueReply(
      request: 1, jobs: [EnqueueReply.Job(code: .ok, id: job), EnqueueReply.Job(code: .busy, id: nil, message: "busy")]
    ).encoded(),
    Reply(request: 1, code: .notFound, message: "no job 'x'").encoded(),
  ]
}
