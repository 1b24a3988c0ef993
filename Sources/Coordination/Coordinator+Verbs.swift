internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Requests about jobs, phases and workers. Each answers with one reply; none waits in the event loop.
extension Coordinator {
  func handleRequest(_ frames: [[UInt8]], from route: [UInt8], now: Moment) throws(WireError) {
    let request = try Request(decoding: frames[0])
    guard (2...3).contains(frames.count) else {
      throw WireError("a request of \(frames.count) frames; it has two, or three")
    }
    let answer = Answer(coordinator: self, route: route, request: request.request)
    do throws(Refusal) {
      guard request.pipeline.isEmpty || request.pipeline == pipeline.name else {
        throw Refusal(
          code: .invalid, message: "this coordinator runs pipeline '\(pipeline.name)', not '\(request.pipeline)'")
      }
      let arguments = try VerbArguments.decoding(frames[1], of: request.verb)
      guard frames.count == 2 else { return try requeue(arguments, with: frames[2], request.verb, answer) }
      try carryOut(request.verb, arguments, answer, now: now)
    } catch {
      answer.send(error.code, error.message)
    }
  }

  private func carryOut(
    _ verb: String, _ arguments: VerbArguments, _ answer: Answer, now: Moment
  ) throws(Refusal) {
    switch verb {
    case "ping": answer.send(.ok, document: ["pipeline": pipeline.name, "coordinator": name])
    case "status": status(answer)
    case "totals":
      answer.send(.ok, document: TotalsDocument(meters.totals, measuresShown, pipeline: pipeline, coordinator: name))
    case "drain": try drain(arguments, answer)
    case "release": try release(arguments, answer)
    case "await": awaitEnd(of: try arguments.jobID(), answer)
    case "logs": try logs(arguments, answer)
    case "action": try showAction(arguments, answer)
    case "actions": answer.send(.ok, document: ActionsDocument(actions: actions.all.map(ActionDocument.init)))
    case "stop-action": try stopAction(arguments, answer)
    default:
      try requireOpen()
      try carryOutOnStore(verb, arguments, answer, now: now)
    }
  }

  private func carryOutOnStore(
    _ verb: String, _ arguments: VerbArguments, _ answer: Answer, now: Moment
  ) throws(Refusal) {
    switch verb {
    case "job": try job(arguments, answer)
    case "states": try states(arguments, answer)
    case "jobs": try jobs(arguments, answer)
    case "count": try count(arguments, answer, now: now)
    case "history": history(arguments, answer, now: now)
    case "metrics": metrics(arguments, answer, now: now)
    case "cancel": try cancel(arguments, answer, now: now)
    case "requeue": try change(.requeue, arguments, answer, now: now)
    case "delete": try change(.delete, arguments, answer, now: now)
    case "pause": try pause(true, arguments, answer)
    case "resume": try pause(false, arguments, answer)
    default: throw Refusal(code: .invalid, message: "unknown verb '\(verb)'")
    }
  }

  func requireOpen() throws(Refusal) {
    switch condition {
    case .open: return
    case .opening: throw Refusal(code: .unavailable, message: "the store is not open yet, try again later")
    case .down(let reason, _): throw Refusal(code: .unavailable, message: reason)
    }
  }

  /// The worker of that id, and all whose ids begin with it and a slash: those of a process, or builds of one phase there.
  private func drain(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    let name = arguments.worker ?? ""
    let drained = roster.workers(named: name).filter { drain($0) }
    guard !drained.isEmpty else { throw Refusal(code: .notFound, message: "no worker '\(name.prefix(128))'") }
    answer.send(.ok, document: ["worker": name])
  }

  /// The workers look for themselves whether the build is in quarantine where they are.
  private func release(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    let digits = try arguments.buildDigits()
    if let phase = arguments.phase { _ = try VerbArguments.phases(named: phase, in: pipeline) }
    let builds = roster.workers(ofBuild: digits, phase: arguments.phase)
    guard let (plugin, workers) = builds.first else {
      throw Refusal(code: .notFound, message: "no worker here has a build that begins with '\(digits)'")
    }
    guard builds.count == 1 else {
      throw Refusal(code: .invalid, message: "\(builds.count) builds here begin with '\(digits)'; give more digits")
    }
    let told = workers.filter { send([ReleaseOrder(worker: $0, plugin: plugin).encoded()], to: $0) }
    answer.send(.ok, document: ReleaseDocument(plugin: plugin, workers: told.map(\.text)))
  }
}
