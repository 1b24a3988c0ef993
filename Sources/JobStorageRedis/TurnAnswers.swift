internal import JobStorage
internal import PipelineModel

/// What the turn script answered, as the result of the turn.
struct TurnAnswers {
  private(set) var result: StoreTurnResult
  /// Jobs of which the server has lost a part; the scripts have taken them out.
  private(set) var lost = 0
  /// Jobs whose text cannot be read.
  private(set) var unreadable: [[UInt8]] = []
  /// Claims that may get more.
  private(set) var unfilled: [Int] = []
  private let claims: [Claim]
  private let keys: PhaseKeys

  init(allRecorded turn: StoreTurn, by plan: TurnPlan, keys: PhaseKeys) {
    self.keys = keys
    claims = turn.claims
    result = StoreTurnResult()
    result.settlements = Array(repeating: .recorded, count: turn.settlements.count)
    for index in plan.repeated { result.settlements[index] = .stale }
    result.enqueues = Array(repeating: .stored, count: turn.enqueues.count)
    result.claims = Array(repeating: [], count: turn.claims.count)
  }

  /// False where the answer is none that the script gives.
  mutating func note(_ answer: RedisReply, to part: TurnPlan.Part) -> Bool {
    switch part {
    case .settlements(let run, _): note(stale: answer, in: run)
    case .enqueues(let run): note(duplicates: answer, in: run)
    case .promotion: note(promotion: answer.array ?? [])
    case .claim(let index, _): note(claimed: answer.array ?? [], by: index)
    case .metrics: true
    }
  }

  private mutating func note(stale answer: RedisReply, in run: Range<Int>) -> Bool {
    for place in answer.array ?? [] {
      guard let place = place.number, (1...run.count).contains(Int(place)) else { return false }
      result.settlements[run.lowerBound + Int(place) - 1] = .stale
    }
    return answer.array != nil
  }

  private mutating func note(duplicates answer: RedisReply, in run: Range<Int>) -> Bool {
    let words = answer.array ?? []
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      guard let place = words[index].number, (1...run.count).contains(Int(place)) else { return false }
      // What stands there may be unreadable; it is there all the same.
      let state = words[index + 1].number.flatMap { JobState(rawValue: UInt8(clamping: $0)) } ?? .dead
      result.enqueues[run.lowerBound + Int(place) - 1] = .duplicate(state)
    }
    return answer.array != nil
  }

  private mutating func note(promotion words: [RedisReply]) -> Bool {
    guard words.count >= 2, let gone = words[0].number, let next = words[1].string else { return false }
    lost += Int(clamping: gone)
    result.nextDue = Score(next).map { Timestamp(milliseconds: $0.whole) }
    for index in stride(from: 2, to: words.count - 1, by: 2) {
      guard let key = words[index].number, let count = words[index + 1].number else { return false }
      result.promoted[keys.shownIndex(ofKey: Int(clamping: key)), default: 0] += Int(clamping: count)
    }
    return true
  }

  private mutating func noteWhether(_ claim: Int, mayGetMore: Bool) {
    if !unfilled.isEmpty { unfilled.removeAll { $0 == claim } }
    if mayGetMore, result.claims[claim].count < claims[claim].limit { unfilled.append(claim) }
  }

  private mutating func note(claimed words: [RedisReply], by claim: Int) -> Bool {
    guard words.count >= 2, let gone = words[0].number, let more = words[1].number else { return false }
    lost += Int(clamping: gone)
    defer { noteWhether(claim, mayGetMore: more == 1) }
    guard words.count > 2 else { return true }
    guard words.count == 6, let first = words[2].number, first >= 0, let ids = words[3].array,
      let texts = words[4].array, let contents = words[5].array, ids.count == texts.count, ids.count == contents.count
    else { return false }
    for place in ids.indices {
      guard let name = ids[place].bytes else { return false }
      if let id = ids[place].string.flatMap(JobID.init), let text = texts[place].bytes,
        let instructions = contents[place].bytes,
        let job = ClaimedJob(
          id: id, token: LeaseToken(UInt64(first) + UInt64(place)), text: text, instructions: instructions)
      {
        result.claims[claim].append(job)
      } else {
        unreadable.append(name)
      }
    }
    return true
  }
}

extension ClaimedJob {
  /// - Parameter text: the job as the key `job` holds it; of its numbers the first eight are needed: STATE KEY a f c l x
  ///   UPDATED.
  fileprivate init?(id: JobID, token: LeaseToken, text: [UInt8], instructions: [UInt8]) {
    var numbers = DecimalReader(text)
    guard numbers.next() != nil, numbers.next() != nil, let attempt = numbers.nextCount(),
      let failures = numbers.nextCount(), let crashes = numbers.nextCount(), let losses = numbers.nextCount(),
      numbers.next() != nil, let updated = numbers.next()
    else { return nil }
    self.init(
      id: id, token: token, attempt: attempt + 1, failures: failures, crashes: crashes, losses: losses,
      instructions: instructions, queuedAt: Timestamp(milliseconds: updated))
  }
}
