internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// What is done to, or counted of, all jobs that match a filter: step by step between turns, and answered like any request
/// where that is soon over.
extension Coordinator {
  func beginAction(
    _ verb: LongAction.Verb, _ filter: JobFilter, _ answer: Answer, now: Moment
  ) throws(Refusal) {
    let action = LongAction(
      id: jobIDs.next(now: now.wall).text, verb: verb, filter: filter, startedAt: now.wall, began: now.instant)
    guard actions.begin(action, for: answer.requester) else {
      throw Refusal(
        code: .busy, message: "\(LongActions.maximumRunning) actions are running; try again when one has ended")
    }
    if verb == .count { stepOfCount(action) }
  }

  // MARK: - Steps

  /// Takes one step of the next action.
  /// - Returns: false where none is due.
  func stepOfAction(now: Moment) -> Bool {
    guard let action = actions.beginStep(turn: turns.number, now: now.instant),
      case .change(let change) = action.verb
    else { return false }
    let (filter, cursor, limit, wall) = (action.filter, action.cursor, action.size.limit, now.wall)
    submit(
      { store throws(StoreError) -> (step: ActionStep, microseconds: Int64) in
        let watch = StopWatch()
        let step = try store.perform(change, matching: filter, after: cursor, limit: limit, now: wall)
        return (step, watch.microseconds)
      },
      then: { [unowned self] result in
        switch result {
        case .success(let (step, microseconds)):
          followChanges(of: step)
          endStep(action.id, step.changed, step.examined, next: step.next, microseconds)
        case .failure(let error): failStep(action.id, error.message, isTransient: error.isTransient)
        }
      })
    return true
  }

  private func stepOfCount(_ action: LongAction) {
    let (filter, cursor, limit) = (action.filter, action.cursor, action.size.limit)
    let read = Read { reader throws(StoreError) -> (step: CountStep, microseconds: Int64) in
      let watch = StopWatch()
      let step = try reader.count(matching: filter, after: cursor, limit: limit)
      return (step, watch.microseconds)
    } then: { [unowned self] result in
      switch result {
      case .success(let (step, microseconds)):
        endStep(action.id, step.count, step.examined, next: step.next, microseconds)
        if let next = actions[action.id], next.state == .running { stepOfCount(next) }
      case .failure(let error): failStep(action.id, error.message, isTransient: false)
      }
    } refuse: { [unowned self] reason in
      failStep(action.id, reason, isTransient: false)
    }
    // Whoever waits for the answer may leave, and is counted among those who read; what was sent to the background stays.
    let route = actions.requester(of: action.id)?.route ?? []
    let isLetIn = queries.add(read, of: route, goesOn: action.examined > 0)
    if !isLetIn { read.refuse("too many requests are being worked on; try again later") }
  }

  private func endStep(_ id: String, _ changed: Int, _ examined: Int, next: String?, _ microseconds: Int64) {
    say(
      actions.stepEnded(
        id, changed: changed, examined: examined, next: next, microseconds: microseconds, now: moment().instant))
  }

  private func failStep(_ id: String, _ message: String, isTransient: Bool) {
    say(actions.stepFailed(id, message, isTransient: isTransient, now: moment().instant))
  }

  // MARK: - Answers

  func say(_ tellings: [ActionRunner.Telling]) {
    for telling in tellings {
      let (action, answer) = (telling.action, Answer(coordinator: self, requester: telling.to))
      switch telling.what {
      case .end: answerEnded(action, answer)
      case .failure:
        let isRefusal = action.examined == 0 && action.verb == .count
        answer.send(isRefusal ? .busy : .unavailable, action.error ?? "")
      case .progress: answer.send(.ok, document: ActionDocument(action))
      }
    }
  }

  private func answerEnded(_ action: LongAction, _ answer: Answer) {
    switch action.verb {
    case .count: AnswerTo<Verbs.Count>(plain: answer).send(.counted(action.changed, more: false))
    case .change(let change):
      answer.send(.ok, document: ChangeDocument.ended(ChangeDocument.Change(change), action.changed))
    }
  }

  func showAction(_ arguments: Verbs.ActionArguments, _ answer: AnswerTo<Verbs.Action>) throws(Refusal) {
    answer.send(ActionDocument(try action(arguments)))
  }

  func stopAction(_ arguments: Verbs.ActionArguments, _ answer: AnswerTo<Verbs.StopAction>) throws(Refusal) {
    let id = try action(arguments).id
    say(actions.stop(id, for: answer.plain.requester, now: moment().instant))
  }

  private func action(_ arguments: Verbs.ActionArguments) throws(Refusal) -> LongAction {
    guard let action = actions[arguments.id] else {
      throw Refusal(
        code: .notFound,
        message: "no action '\(arguments.id.prefix(64))': the coordinator knows the last "
          + "\(LongActions.remembered) since its start; what an earlier one did is done, and for the rest give the "
          + "command again")
    }
    return action
  }
}

// MARK: - Counting

extension Coordinator {
  func count(_ arguments: JobFilterArguments, _ answer: AnswerTo<Verbs.Count>, now: Moment) throws(Refusal) {
    let filter = try arguments.filter(in: pipeline)
    guard counts.count(matching: filter) != nil else { return try beginAction(.count, filter, answer.plain, now: now) }
    askCounts { [unowned self] isFresh in
      guard isFresh, let count = counts.count(matching: filter) else {
        return answer.refuse(.unavailable, "the store does not answer; try again later")
      }
      answer.send(.counted(count, more: false))
    }
  }
}

extension StoreCounts {
  /// How many jobs match, where the counts alone can tell; nil where jobs would have to be looked at.
  func count(matching filter: JobFilter) -> Int? {
    guard filter.id == nil, filter.changed == nil, (filter.idPrefix ?? "").isEmpty, (filter.errorContains ?? "").isEmpty
    else { return nil }
    let states = filter.states ?? Set(JobState.allCases)
    // Which phase finished jobs stood in is not counted.
    if filter.phase != nil, states.contains(.succeeded) || states.contains(.cancelled) { return nil }
    let phases = filter.phase.map { [self.phases[$0]] } ?? self.phases
    return states.reduce(0) { sum, state in
      switch state {
      case .waiting: sum + phases.reduce(0) { $0 + $1.waiting }
      case .delayed: sum + phases.reduce(0) { $0 + $1.delayed }
      case .running: sum + phases.reduce(0) { $0 + $1.running }
      case .dead: sum + phases.reduce(0) { $0 + $1.dead }
      case .succeeded: sum + succeeded
      case .cancelled: sum + cancelled
      }
    }
  }
}
