public import JobStorage
internal import PipelineModel

extension RedisJobStore {
  /// What is on its way to the server and back at once.
  private static let bytesOnTheWay = 16 << 20

  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try noticeLostKeys("apply")
    let session = try opened("apply")
    try turn.refuseUnknownPhases(session.keys, address: address)
    let plan = TurnPlan(turn, keys: session.keys)
    var answers = TurnAnswers(allRecorded: turn, by: plan, keys: session.keys)
    if plan.parts.isEmpty { _ = try run(.keep, [], session, now: turn.now, operation: "apply") }
    try send(plan, of: turn, session, into: &answers)
    try fill(turn, session, into: &answers)
    note(claims: answers.result.claims)
    if answers.lost > 0 || !answers.unreadable.isEmpty { try give(back: answers, of: turn, session) }
    return answers.result
  }

  /// Several calls go in one round trip, unless they are large.
  private func send(
    _ plan: TurnPlan, of turn: StoreTurn, _ session: Session, into answers: inout TurnAnswers
  ) throws(StoreError) {
    var turnArguments = TurnArguments(turn, keys: session.keys)
    var calls: [(script: RedisScript, arguments: RESPEncoder)] = []
    var size = 0
    var parts = plan.parts[...]
    for call in plan.calls {
      let arguments = turnArguments.call(call)
      if size > 0, size + arguments.bytes.count > Self.bytesOnTheWay {
        try send(calls, of: turn, session, answering: &parts, into: &answers)
        (calls, size) = ([], 0)
      }
      calls.append((.turn, arguments))
      size += arguments.bytes.count
    }
    if !calls.isEmpty { try send(calls, of: turn, session, answering: &parts, into: &answers) }
    if !parts.isEmpty { throw corrupt("apply", "an answer") }
  }

  private func send(
    _ calls: [(script: RedisScript, arguments: RESPEncoder)], of turn: StoreTurn, _ session: Session,
    answering parts: inout ArraySlice<TurnPlan.Part>, into answers: inout TurnAnswers
  ) throws(StoreError) {
    for reply in try run(calls, session, now: turn.now, operation: "apply") {
      for answer in reply.array ?? [] {
        guard let part = parts.popFirst(), answers.note(answer, to: part) else { throw corrupt("apply", "an answer") }
      }
    }
  }

  /// Claims of more than one part brings: those of many jobs, or of large ones.
  private func fill(_ turn: StoreTurn, _ session: Session, into answers: inout TurnAnswers) throws(StoreError) {
    while let index = answers.unfilled.first {
      let left = turn.claims[index].limit - answers.result.claims[index].count
      var parts: ArraySlice<TurnPlan.Part> = [.claim(index, limit: min(left, TurnPlan.claimsPerPart))]
      var turnArguments = TurnArguments(turn, keys: session.keys)
      try send([(.turn, turnArguments.call(parts))], of: turn, session, answering: &parts, into: &answers)
    }
  }

  /// Where the server has lost parts of jobs its counts are wrong: what was claimed goes back, and opening the store again
  /// makes them anew.
  private func give(back answers: TurnAnswers, of turn: StoreTurn, _ session: Session) throws(StoreError) {
    var back = StoreTurn(now: turn.now)
    for (claim, jobs) in zip(turn.claims, answers.result.claims) {
      back.settlements += jobs.map {
        Settlement(
          job: $0.id, token: $0.token, from: claim.phase, counters: $0.counters, attempt: nil,
          effect: .toFront(losses: nil))
      }
    }
    let plan = TurnPlan(back, keys: session.keys)
    var ignored = TurnAnswers(allRecorded: back, by: plan, keys: session.keys)
    try send(plan, of: back, session, into: &ignored)
    if !answers.unreadable.isEmpty {
      _ = try run(.setAside, answers.unreadable, session, now: turn.now, operation: "apply")
    }
    forgetSession()
    throw StoreError(
      .unavailable, operation: "apply",
      message:
        "storage \(address) has lost parts of jobs, \(answers.lost + answers.unreadable.count) of them in this turn (did it evict keys, or "
        + "another program write them?); they are taken out and the counts are made again")
  }
}
