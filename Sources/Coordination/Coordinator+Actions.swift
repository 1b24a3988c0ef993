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
    guard actions.begin(action) else {
      throw Refusal(
        code: .busy, message: "\(LongActions.maximumRunning) actions are running; try again when one has ended")
    }
    actionAnswers[action.id] = answer
    if verb == .count { stepOfCount(action) }
  }

  // MARK: - Steps

  /// Takes one step of the next action.
  /// - Returns: false where none is due.
  func stepOfAction(now: Moment) -> Bool {
    let isIdle = turnOfLastStep == turns.number
    guard let action = actions.next(now: now.instant, isIdle: isIdle), case .change(let change) = action.verb else {
      return false
    }
    turnOfLastStep = turns.number
    stepInStore = action.id
    let (filter, cursor, limit, wall) = (action.filter, action.cursor, action.size.limit, now.wall)
    submit(
      { store throws(StoreError) -> (step: ActionStep, microseconds: Int64) in
        let watch = StopWatch()
        let step = try store.perform(change, matching: filter, after: cursor, limit: limit, now: wall)
        return (step, watch.microseconds)
      },
      then: { [unowned self] result in
        stepInStore = nil
        defer { answerStops(of: action.id) }
        switch result {
        case .success(let (step, microseconds)):
          note(step)
          noteStep(action.id, step.changed, step.examined, next: step.next, microseconds)
        case .failure(let error): stepFailed(action.id, error)
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
        noteStep(action.id, step.count, step.examined, next: step.next, microseconds)
        if let next = actions[action.id], next.state == .running { stepOfCount(next) }
      case .failure(let error):
        actions.fail(action.id, error.message)
        answerAction(action.id, now: moment())
      }
    } refuse: { [unowned self] reason in
      actions.fail(action.id, reason)
      answerAction(action.id, now: moment())
    }
    // Whoever waits for the answer may leave, and is counted among those who read; what was sent to the background stays.
    let route = actionAnswers[action.id]?.route ?? []
    let isLetIn = queries.add(read, of: route, goesOn: action.examined > 0)
    if !isLetIn { read.refuse("too many requests are being worked on; try again later") }
  }

  private func noteStep(_ id: String, _ changed: Int, _ examined: Int, next: String?, _ microseconds: Int64) {
    let now = moment()
    actions.took(
      id, changed: changed, examined: examined, next: next, microseconds: microseconds, now: now.instant)
    answerAction(id, now: now)
  }

  /// A store that is away for a while holds an action up; anything else ends it.
  private func stepFailed(_ id: String, _ error: StoreError) {
    if error.mayPass, actions[id]?.isAnswered == true {
      actions.putBack(id)
    } else {
      actions.fail(id, error.message)
    }
    answerAction(id, now: moment())
  }

  // MARK: - Answers

  func answerLongActions(now: Moment) {
    for id in actionAnswers.keys { answerAction(id, now: now) }
  }

  private func answerAction(_ id: String, now: Moment) {
    guard let action = actions[id], let answer = actionAnswers[id] else { return }
    switch action.state {
    case .done: answerEnded(action, answer)
    case .failed:
      let isRefusal = action.examined == 0 && action.verb == .count
      answer.send(isRefusal ? .busy : .unavailable, action.error ?? "")
    case .running where !actions.isLong(id, now: now.instant): return
    case .running, .stopped: answer.send(.ok, document: ActionDocument(action))
    }
    actionAnswers[id] = nil
    actions.noteAnswered(id)
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
    actions.stop(id)
    stopAnswers.append((id, answer))
    if stepInStore != id { answerStops(of: id) }
  }

  /// Once no step is on its way, so that what is told is what was done.
  private func answerStops(of id: String) {
    guard let action = actions[id], action.state != .running else { return }
    answerAction(id, now: moment())
    for (stopped, answer) in stopAnswers where stopped == id { answer.send(ActionDocument(action)) }
    stopAnswers.removeAll { $0.action == id }
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
