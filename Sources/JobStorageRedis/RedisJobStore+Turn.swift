public import JobStorage
internal import PipelineModel

extension RedisJobStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    let session = try opened("apply")
    try turn.refuseUnknownPhases(session.keys, address: address)
    let calls = TurnCalls(turn, keys: session.keys)
    var answers: [RedisReply] = []
    if calls.parts.isEmpty {
      try keepOwnership(now: turn.now)
    } else {
      let scripts = calls.calls.map { (script: RedisScript.turn, arguments: $0) }
      for reply in try run(scripts, session, now: turn.now, operation: "apply") { answers += reply.array ?? [] }
    }
    var result = StoreTurnResult(allRecorded: turn)
    guard answers.count == calls.parts.count,
      zip(calls.parts, answers).allSatisfy({ result.note($1, to: $0, session.keys) })
    else { throw corrupt("apply", "an answer") }
    return result
  }
}

extension StoreTurnResult {
  /// Releases are stale until they are answered: one whose token an earlier one of the turn has is not asked.
  fileprivate init(allRecorded turn: StoreTurn) {
    self.init()
    completions = Array(repeating: .recorded, count: turn.completions.count)
    failures = Array(repeating: .recorded, count: turn.failures.count)
    releases = Array(repeating: .stale, count: turn.releases.count)
    enqueues = Array(repeating: .stored, count: turn.enqueues.count)
    renewals = Array(repeating: .recorded, count: turn.renewals.count)
    claims = Array(repeating: [], count: turn.claims.count)
  }

  /// False where the answer is none that the script gives.
  fileprivate mutating func note(_ answer: RedisReply, to part: TurnCalls.Part, _ keys: PhaseKeys) -> Bool {
    switch part {
    case .completions(let run): note(stale: answer, in: run)
    case .enqueues(let run): note(duplicates: answer, in: run)
    case .failure(let index): note(answer, in: &failures[index])
    case .release(let index): note(answer, in: &releases[index])
    case .renewal(let index): note(answer, in: &renewals[index])
    case .promotion: note(promotion: answer.array ?? [], keys)
    case .claim(let index): note(claimed: answer.array ?? [], in: &claims[index])
    case .metrics: true
    }
  }

  private func note(_ answer: RedisReply, in outcome: inout WriteOutcome) -> Bool {
    outcome = answer.number == 1 ? .recorded : .stale
    return answer.number != nil
  }

  private mutating func note(stale answer: RedisReply, in run: Range<Int>) -> Bool {
    for place in answer.array ?? [] {
      guard let place = place.number, (1...run.count).contains(Int(place)) else { return false }
      completions[run.lowerBound + Int(place) - 1] = .stale
    }
    return answer.array != nil
  }

  private mutating func note(duplicates answer: RedisReply, in run: Range<Int>) -> Bool {
    let words = answer.array ?? []
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      guard let place = words[index].number, (1...run.count).contains(Int(place)),
        let state = words[index + 1].number.flatMap({ JobState(rawValue: UInt8(clamping: $0)) })
      else { return false }
      enqueues[run.lowerBound + Int(place) - 1] = .duplicate(state)
    }
    return answer.array != nil
  }

  private mutating func note(promotion: [RedisReply], _ keys: PhaseKeys) -> Bool {
    guard let next = promotion.first?.string else { return false }
    nextDue = Double(next).map { Timestamp(milliseconds: Int64($0)) }
    for index in stride(from: 1, to: promotion.count - 1, by: 2) {
      guard let key = promotion[index].number, let count = promotion[index + 1].number else { return false }
      promoted[keys.shownIndex(ofKey: Int(key)), default: 0] += Int(count)
    }
    return true
  }

  /// Four words for each time the script took jobs from the queue (`turnScript`).
  private func note(claimed words: [RedisReply], in jobs: inout [ClaimedJob]) -> Bool {
    for index in stride(from: 0, to: words.count - 3, by: 4) {
      guard let first = words[index].number, let ids = words[index + 1].array, let texts = words[index + 2].array,
        let contents = words[index + 3].array, ids.count == texts.count, ids.count == contents.count
      else { return false }
      for place in ids.indices {
        guard let id = ids[place].string.flatMap(JobID.init), let text = texts[place].bytes,
          let instructions = contents[place].bytes,
          let job = ClaimedJob(
            id: id, token: LeaseToken(UInt64(clamping: first) + UInt64(place)), text: text, instructions: instructions)
        else { return false }
        jobs.append(job)
      }
    }
    return words.count.isMultiple(of: 4)
  }
}

extension ClaimedJob {
  /// - Parameter text: the job as the key `job` holds it; of its numbers the first six are needed: STATE KEY a f c UPDATED.
  fileprivate init?(id: JobID, token: LeaseToken, text: [UInt8], instructions: [UInt8]) {
    var numbers = DecimalReader(text)
    guard numbers.next() != nil, numbers.next() != nil, let attempt = numbers.next(), let failures = numbers.next(),
      let crashes = numbers.next(), let updated = numbers.next()
    else { return nil }
    self.init(
      id: id, token: token, attempt: Int(attempt) + 1, failures: Int(failures), crashes: Int(crashes),
      instructions: instructions, queuedAt: Timestamp(milliseconds: updated))
  }
}
