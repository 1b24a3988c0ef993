internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Requests that change single jobs, or what is given out.
extension Coordinator {
  func cancel(
    _ arguments: JobFilterArguments, _ answer: AnswerTo<Verbs.Cancel>, now: Moment
  ) throws(Refusal) {
    let filter = try arguments.filter(in: pipeline, toChange: true)
    guard let id = filter.id, filter == JobFilter(id: id) else {
      return try beginAction(.change(.cancel), filter, answer.plain, now: now)
    }
    let wall = now.wall
    run({ store throws(StoreError) in try store.cancel(id, now: wall) }) { [unowned self] result in
      switch result {
      case .success(let cancelled?):
        if let lease = cancelled.lease { stop([lease]) }
        let changed = !cancelled.was.isFinal
        if changed { awaited.markUnsure(id) }
        let was = ChangeDocument.was(cancelled.was.description)
        if changed { answer.send(was) } else { answer.refuse(.invalid, "job '\(id)' is \(cancelled.was) already", was) }
      case .success(nil): answer.refuse(.notFound, "no job '\(id)'")
      case .failure(let error): answer.refuse(.unavailable, error.message)
      }
    }
  }

  /// Tells workers to stop attempts whose leases were broken.
  func stop(_ jobs: [RunningJob]) {
    for job in jobs {
      let lease = roster.forgetLease(job.token)
      journal.endAttempt(of: job.id)
      // A parked one was given to nobody.
      guard lease?.stage != .parked else { continue }
      perform([.cancel(lease?.worker ?? job.worker, [job.token])], now: moment())
    }
  }

  func change<V: ChangeVerb>(
    _ action: FilterAction, _ arguments: JobFilterArguments, _ answer: AnswerTo<V>, now: Moment
  ) throws(Refusal) {
    let filter = try arguments.filter(in: pipeline, toChange: true)
    guard let id = filter.id else { return try beginAction(.change(action), filter, answer.plain, now: now) }
    let wall = now.wall
    run({ store throws(StoreError) -> (step: ActionStep, state: JobState?) in
      let step = try store.perform(action, matching: filter, after: nil, limit: 1, now: wall)
      return (step, step.changed > 0 ? nil : try store.states(of: [id]).first ?? nil)
    }) { [unowned self] result in
      switch result {
      case .success(let (step, _)) where step.changed > 0:
        followChanges(of: step)
        answer.send(.ended(ChangeDocument.Change(action), step.changed))
      case .success(let (_, state?)):
        answer.refuse(.invalid, "job '\(id)' is \(state)\(Self.advice(on: action, state))")
      case .success: answer.refuse(.notFound, "no job '\(id)'")
      case .failure(let error): answer.refuse(.unavailable, error.message)
      }
    }
  }

  static func advice(on action: FilterAction, _ state: JobState) -> String {
    switch action {
    case .delete where state == .running: ": cancel it first"
    case .requeue: "; dead, cancelled and delayed jobs can be requeued"
    case .delete, .cancel: ""
    }
  }

  /// What a step of an action did to what is known here.
  func followChanges(of step: ActionStep) {
    for (phase, count) in step.requeued { turns.requeued(count, in: phase) }
    stop(step.broken)
    if !awaited.isEmpty { for id in step.cancelled { awaited.markUnsure(id) } }
    pruning.noteFinished(step.cancelled.count)
  }

  func pause<V: Verb>(
    _ paused: Bool, _ arguments: Verbs.PhaseArguments, _ answer: AnswerTo<V>
  ) throws(Refusal) where V.Answer == PauseDocument {
    var named: [Int]?
    if let jobType = arguments.phase { named = try pipeline.phases(named: jobType) }
    let phases = named
    run({ store throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) in
      if let phases {
        for phase in phases { try store.setPaused(paused, phase: phase) }
      } else {
        try store.setPaused(paused, phase: nil)
      }
      return try store.paused()
    }) { [unowned self] result in
      switch result {
      case .success(let state):
        turns.set(paused: state)
        answer.send(PauseDocument(paused: paused))
      case .failure(let error): answer.refuse(.unavailable, error.message)
      }
    }
  }
}
