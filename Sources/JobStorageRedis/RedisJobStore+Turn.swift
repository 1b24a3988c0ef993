public import JobStorage
internal import PipelineModel

extension RedisJobStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    let session = try opened("apply")
    try turn.refuseUnknownPhases(session.keys, address: address)
    let items = TurnItems(turn, keys: session.keys)
    guard items.count > 0 else {
      try keepOwnership(now: turn.now)
      return items.result(of: [], turn, keys: session.keys) ?? StoreTurnResult()
    }
    let calls = items.calls.map { (script: turnScript, arguments: $0) }
    var answers: [RedisReply] = []
    for reply in try run(calls, session, now: turn.now, operation: "apply") { answers += reply.array ?? [] }
    guard answers.count == items.count, let result = items.result(of: answers, turn, keys: session.keys) else {
      throw corrupt("apply", "an answer")
    }
    return result
  }
}

/// A turn in the words of the turn script, and the way back from its answers.
private struct TurnItems {
  /// Items of one script call: Redis serves nobody else meanwhile.
  private static let itemsPerCall = 500

  /// The arguments of each call of the script.
  private(set) var calls: [RedisWords] = []
  private(set) var count = 0
  /// For each release the item that does it; nil where an earlier one of the turn has the same token.
  private var releaseItems: [Int?] = []
  private var claimItems: [Int?] = []

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    for item in turn.completions { add(item, keys) }
    for item in turn.failures { add(item, keys) }
    addReleases(turn.releases, keys)
    for item in turn.enqueues { add(item, keys) }
    for item in turn.renewals {
      add("N") { words in
        words.append(item.job.text)
        words.append(number: Int64(bitPattern: item.token.number))
        words.append(number: item.until.milliseconds)
      }
    }
    if turn.promotionLimit > 0 { add("P") { $0.append(number: Int64(turn.promotionLimit)) } }
    for item in turn.claims { add(item, keys) }
    for item in turn.metrics { add(item, keys) }
  }

  private mutating func add(_ letter: Unicode.Scalar, _ fill: (inout RedisWords) -> Void) {
    if count % Self.itemsPerCall == 0 { calls.append(RedisWords()) }
    let last = calls.count - 1
    calls[last].append(letter)
    fill(&calls[last])
    count += 1
  }

  private mutating func add(_ item: Completion, _ keys: PhaseKeys) {
    add("C") { words in
      words.append(item.job.text)
      words.append(number: Int64(bitPattern: item.token.number))
      words.append(item.instructions == nil ? "0" : "1")
      words.append(item.instructions ?? [])
      if let next = item.nextPhase.flatMap({ keys.key(ofIndex: $0) }) {
        words.append(number: Int64(next))
      } else {
        words.append("")
      }
      words.append(Self.text(item.attempt, keys))
    }
  }

  private mutating func add(_ item: Failure, _ keys: PhaseKeys) {
    let counter =
      switch item.attempt.outcome {
      case .failed, .timedOut, .permanentFailure: "f"
      case .crashed: "c"
      case .succeeded, .retryRequested, .cancelled, .lost, .handedBack: ""
      }
    let (state, due): (JobState, [UInt8]) =
      switch item.verdict {
      case .retry(let due): (.waiting, bytes(due.milliseconds))
      case .bury: (.dead, [])
      case .cancel: (.cancelled, [])
      }
    add("F") { words in
      words.append(item.job.text)
      words.append(number: Int64(bitPattern: item.token.number))
      words.append(counter)
      words.append(number: Int64(state.rawValue))
      words.append(due)
      words.append(AttemptText.text(item.error))
      words.append(Self.text(item.attempt, keys))
    }
  }

  /// Backwards, so that the first of them ends up in front.
  private mutating func addReleases(_ releases: [Release], _ keys: PhaseKeys) {
    var seen: Set<LeaseToken> = []
    let isFirst = releases.map { seen.insert($0.token).inserted }
    releaseItems = Array(repeating: nil, count: releases.count)
    for index in releases.indices.reversed() where isFirst[index] {
      let item = releases[index]
      releaseItems[index] = count
      add("L") { words in
        words.append(item.job.text)
        words.append(number: Int64(bitPattern: item.token.number))
        words.append(item.attempt.map { Self.text($0, keys) } ?? [])
      }
    }
  }

  private mutating func add(_ item: NewJob, _ keys: PhaseKeys) {
    add("E") { words in
      words.append(item.id.text)
      words.append(number: Int64(keys.keys[0]))
      words.append(number: Int64(item.priority))
      words.append(item.notBefore.map { bytes($0.milliseconds) } ?? [])
      words.append(item.instructions)
    }
  }

  private mutating func add(_ item: Claim, _ keys: PhaseKeys) {
    guard item.limit > 0, let key = keys.key(ofIndex: item.phase) else { return claimItems.append(nil) }
    claimItems.append(count)
    add("G") { words in
      words.append(number: Int64(key))
      words.append(number: Int64(item.limit))
      words.append(item.worker.text)
      words.append(number: item.leaseUntil.milliseconds)
    }
  }

  private mutating func add(_ item: PhaseMetrics, _ keys: PhaseKeys) {
    guard let key = keys.key(ofIndex: item.phase) else { return }
    let fields = MetricsFields.nonZero(item)
    add("M") { words in
      words.append(number: item.minute)
      words.append(number: Int64(fields.count))
      for field in fields {
        words.append("\(key):\(field.name)")
        words.append(number: field.value)
      }
    }
  }

  private static func text(_ attempt: AttemptRecord, _ keys: PhaseKeys) -> [UInt8] {
    AttemptText.text(attempt, key: keys.key(ofIndex: attempt.phase) ?? 0)
  }

  // MARK: Answers

  /// Nil where an answer is none that the script gives.
  func result(of answers: [RedisReply], _ turn: StoreTurn, keys: PhaseKeys) -> StoreTurnResult? {
    var result = StoreTurnResult()
    var at = 0
    func next() -> RedisReply {
      defer { at += 1 }
      return answers[at]
    }
    func outcomes(_ count: Int) -> [WriteOutcome] { (0..<count).map { _ in next().number == 1 ? .recorded : .stale } }
    result.completions = outcomes(turn.completions.count)
    result.failures = outcomes(turn.failures.count)
    result.releases = releaseItems.map { item in item.map { answers[$0].number == 1 ? .recorded : .stale } ?? .stale }
    at += releaseItems.count { $0 != nil }
    for _ in turn.enqueues {
      let there = next().string ?? ""
      if there.isEmpty {
        result.enqueues.append(.stored)
      } else {
        guard let state = UInt8(there).flatMap(JobState.init(rawValue:)) else { return nil }
        result.enqueues.append(.duplicate(state))
      }
    }
    result.renewals = outcomes(turn.renewals.count)
    if turn.promotionLimit > 0 {
      guard fill(&result, promotion: next().array ?? [], keys) else { return nil }
    }
    for item in claimItems {
      guard let claimed = item.map({ jobs(in: answers[$0].array ?? []) }) ?? [] else { return nil }
      result.claims.append(claimed)
    }
    return result
  }

  private func fill(_ result: inout StoreTurnResult, promotion: [RedisReply], _ keys: PhaseKeys) -> Bool {
    guard let next = promotion.first?.string else { return false }
    result.nextDue = Double(next).map { Timestamp(milliseconds: Int64($0)) }
    for index in stride(from: 1, to: promotion.count - 1, by: 2) {
      guard let key = promotion[index].number, let count = promotion[index + 1].number else { return false }
      result.promoted[keys.shownIndex(ofKey: Int(key)), default: 0] += Int(count)
    }
    return true
  }

  private func jobs(in words: [RedisReply]) -> [ClaimedJob]? {
    var jobs: [ClaimedJob] = []
    for start in stride(from: 0, to: words.count, by: 7) {
      guard start + 6 < words.count, let id = words[start].string.flatMap(JobID.init),
        let token = words[start + 1].number.map(UInt64.init(clamping:)), let attempt = words[start + 2].number,
        let failures = words[start + 3].number, let crashes = words[start + 4].number,
        let instructions = words[start + 5].bytes, let queuedAt = words[start + 6].number
      else { return nil }
      jobs.append(
        ClaimedJob(
          id: id, token: LeaseToken(token), attempt: Int(attempt), failures: Int(failures), crashes: Int(crashes),
          instructions: instructions, queuedAt: Timestamp(milliseconds: queuedAt)))
    }
    return jobs
  }
}
