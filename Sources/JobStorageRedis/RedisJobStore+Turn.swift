public import JobStorage
internal import PipelineModel

extension RedisJobStore {
  /// Items of one script call: Redis serves nobody else meanwhile.
  private static let itemsPerCall = 500

  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    let session = try opened("apply")
    try turn.refuseUnknownPhases(session.keys, address: address)
    let items = TurnItems(turn, keys: session.keys)
    guard !items.words.isEmpty else {
      try keepOwnership(now: turn.now)
      return items.result(of: [], turn, keys: session.keys) ?? StoreTurnResult()
    }
    var calls: [(script: String, arguments: [[UInt8]])] = []
    var rest = items.words[...]
    while !rest.isEmpty {
      calls.append((turnScript, Array(rest.prefix(Self.itemsPerCall).joined())))
      rest = rest.dropFirst(Self.itemsPerCall)
    }
    var answers: [RedisReply] = []
    for reply in try run(calls, session, now: turn.now, operation: "apply") { answers += reply.array ?? [] }
    guard answers.count == items.words.count, let result = items.result(of: answers, turn, keys: session.keys) else {
      throw corrupt("apply", "an answer")
    }
    return result
  }
}

/// A turn in the words of the turn script, and the way back from its answers.
private struct TurnItems {
  /// One element an item.
  private(set) var words: [[[UInt8]]] = []
  /// For each release the item that does it; nil where an earlier one of the turn has the same token.
  private var releaseItems: [Int?] = []
  private var claimItems: [Int?] = []

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    words.reserveCapacity(
      turn.completions.count + turn.failures.count + turn.releases.count + turn.enqueues.count + turn.renewals.count
        + turn.claims.count + turn.metrics.count + 1)
    for item in turn.completions { add(item, keys) }
    for item in turn.failures { add(item, keys) }
    addReleases(turn.releases, keys)
    for item in turn.enqueues {
      add(
        "E", item.id, bytes(keys.keys[0]), bytes(item.priority), item.notBefore.map { bytes($0.milliseconds) } ?? [],
        item.instructions)
    }
    for item in turn.renewals { add("N", item.job, bytes(item.token.number), bytes(item.until.milliseconds)) }
    if turn.promotionLimit > 0 { words.append([Array("P".utf8), bytes(turn.promotionLimit)]) }
    for item in turn.claims { add(item, keys) }
    for item in turn.metrics { add(item, keys) }
  }

  private mutating func add(_ letter: String, _ id: JobID, _ rest: [UInt8]...) {
    words.append([Array(letter.utf8), Array(id.text.utf8)] + rest)
  }

  private mutating func add(_ item: Completion, _ keys: PhaseKeys) {
    let next = item.nextPhase.flatMap { keys.key(ofIndex: $0) }.map { bytes($0) } ?? []
    add(
      "C", item.job, bytes(item.token.number), item.instructions == nil ? [0x30] : [0x31], item.instructions ?? [],
      next, text(item.attempt, keys))
  }

  private mutating func add(_ item: Failure, _ keys: PhaseKeys) {
    let counter: String =
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
    add(
      "F", item.job, bytes(item.token.number), Array(counter.utf8), bytes(state.rawValue), due,
      AttemptText.text(item.error), text(item.attempt, keys))
  }

  /// Backwards, so that the first of them ends up in front.
  private mutating func addReleases(_ releases: [Release], _ keys: PhaseKeys) {
    var seen: Set<LeaseToken> = []
    let isFirst = releases.map { seen.insert($0.token).inserted }
    releaseItems = Array(repeating: nil, count: releases.count)
    for index in releases.indices.reversed() where isFirst[index] {
      let item = releases[index]
      releaseItems[index] = words.count
      add("L", item.job, bytes(item.token.number), item.attempt.map { text($0, keys) } ?? [])
    }
  }

  private mutating func add(_ item: Claim, _ keys: PhaseKeys) {
    guard item.limit > 0, let key = keys.key(ofIndex: item.phase) else { return claimItems.append(nil) }
    claimItems.append(words.count)
    words.append([
      Array("G".utf8), bytes(key), bytes(item.limit), Array(item.worker.text.utf8), bytes(item.leaseUntil.milliseconds),
    ])
  }

  private mutating func add(_ item: PhaseMetrics, _ keys: PhaseKeys) {
    guard let key = keys.key(ofIndex: item.phase) else { return }
    let fields = MetricsFields.nonZero(item)
    words.append(
      [Array("M".utf8), bytes(item.minute), bytes(fields.count)]
        + fields.flatMap { [Array("\(key):\($0.name)".utf8), bytes($0.value)] })
  }

  private func text(_ attempt: AttemptRecord, _ keys: PhaseKeys) -> [UInt8] {
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
        let token = words[start + 1].string.flatMap({ UInt64($0) }), let attempt = words[start + 2].number,
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
