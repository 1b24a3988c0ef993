internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Requests about jobs, phases and workers. Each answers with one reply; none waits in the event loop.
extension Coordinator {
  static let verbs = VerbTable { table in
    answerAboutThePipeline(&table)
    answerAboutJobs(&table)
    change(&table)
  }

  private static func answerAboutThePipeline(_ table: inout VerbTable) {
    table.on(Verbs.Ping.self, needs: .nothing) { coordinator, _, answer, _ in
      answer.send(PingDocument(pipeline: coordinator.pipeline.name, coordinator: coordinator.name))
    }
    table.on(Verbs.Status.self, needs: .nothing) { coordinator, _, answer, _ in coordinator.status(answer) }
    table.on(Verbs.Totals.self, needs: .nothing) { coordinator, _, answer, _ in coordinator.totals(answer) }
    table.on(Verbs.Logs.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.logs(arguments, answer)
    }
    table.on(Verbs.Metrics.self) { $0.metrics($1, $2, now: $3.now) }
    table.on(Verbs.History.self) { $0.history($1, $2, now: $3.now) }
  }

  private static func answerAboutJobs(_ table: inout VerbTable) {
    table.on(Verbs.Job.self) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.job(arguments, answer)
    }
    table.on(Verbs.Jobs.self) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.jobs(arguments, answer)
    }
    table.on(Verbs.States.self) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.states(arguments, answer)
    }
    table.on(Verbs.Count.self) { coordinator, arguments, answer, call throws(Refusal) in
      try coordinator.count(arguments, answer, now: call.now)
    }
    table.on(Verbs.Await.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      coordinator.awaitEnd(of: try JobID(named: arguments.id), answer)
    }
    table.on(Verbs.Action.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.showAction(arguments, answer)
    }
    table.on(Verbs.Actions.self, needs: .nothing) { coordinator, _, answer, _ in
      answer.send(ActionsDocument(actions: coordinator.actions.all.map(ActionDocument.init)))
    }
  }

  private static func change(_ table: inout VerbTable) {
    table.on(Verbs.Cancel.self) { coordinator, arguments, answer, call throws(Refusal) in
      try coordinator.cancel(arguments, answer, now: call.now)
    }
    // What is wrong with new instructions is said before what is wrong with the store.
    table.on(Verbs.Requeue.self, needs: .nothing) { coordinator, arguments, answer, call throws(Refusal) in
      if let instructions = call.instructions {
        return try coordinator.requeue(arguments, with: instructions, answer)
      }
      try coordinator.requireOpen()
      try coordinator.change(.requeue, arguments, answer, now: call.now)
    }
    table.on(Verbs.Delete.self) { coordinator, arguments, answer, call throws(Refusal) in
      try coordinator.change(.delete, arguments, answer, now: call.now)
    }
    table.on(Verbs.Pause.self) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.pause(true, arguments, answer)
    }
    table.on(Verbs.Resume.self) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.pause(false, arguments, answer)
    }
    table.on(Verbs.StopAction.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.stopAction(arguments, answer)
    }
    table.on(Verbs.Drain.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.drain(arguments, answer)
    }
    table.on(Verbs.Release.self, needs: .nothing) { coordinator, arguments, answer, _ throws(Refusal) in
      try coordinator.release(arguments, answer)
    }
  }

  func handleRequest(_ frames: [[UInt8]], from route: [UInt8], now: Moment) throws(WireError) {
    let request = try Request(decoding: frames[0])
    guard (2...3).contains(frames.count) else {
      throw WireError("a request of \(frames.count) frames; it has two, or three")
    }
    let answer = Answer(coordinator: self, requester: Requester(route: route, request: request.request))
    do throws(Refusal) {
      guard request.pipeline.isEmpty || request.pipeline == pipeline.name else {
        throw Refusal(
          code: .invalid, message: "this coordinator runs pipeline '\(pipeline.name)', not '\(request.pipeline)'")
      }
      let call = VerbTable.Call(
        coordinator: self, answer: answer, now: now, arguments: frames[1],
        instructions: frames.count > 2 ? frames[2] : nil)
      try Self.verbs.carryOut(request.verb, call)
    } catch {
      answer.send(error.code, error.message)
    }
  }

  func requireOpen() throws(Refusal) {
    switch health.condition {
    case .open: return
    case .opening: throw Refusal(code: .unavailable, message: "the store is not open yet, try again later")
    case .down(let reason, _): throw Refusal(code: .unavailable, message: reason)
    }
  }

  /// The worker of that id, and all whose ids begin with it and a slash: those of a process, or builds of one phase there.
  private func drain(_ arguments: Verbs.Drain.Arguments, _ answer: AnswerTo<Verbs.Drain>) throws(Refusal) {
    let name = arguments.worker
    let drained = roster.workers(named: name).filter { drain($0) }
    guard !drained.isEmpty else { throw Refusal(code: .notFound, message: "no worker '\(name.prefix(128))'") }
    answer.send(DrainDocument(worker: name))
  }

  /// The workers look for themselves whether the build is in quarantine where they are.
  private func release(_ arguments: Verbs.Release.Arguments, _ answer: AnswerTo<Verbs.Release>) throws(Refusal) {
    let digits = try arguments.buildDigits()
    if let phase = arguments.phase { _ = try pipeline.phases(named: phase) }
    let builds = roster.workers(ofBuild: digits, phase: arguments.phase)
    guard let (plugin, workers) = builds.first else {
      throw Refusal(code: .notFound, message: "no worker here has a build that begins with '\(digits)'")
    }
    guard builds.count == 1 else {
      throw Refusal(code: .invalid, message: "\(builds.count) builds here begin with '\(digits)'; give more digits")
    }
    let told = workers.filter { send([ReleaseOrder(worker: $0, plugin: plugin).encoded()], to: $0) }
    answer.send(ReleaseDocument(plugin: plugin, workers: told.map(\.text)))
  }
}
