internal import JobStorage
internal import PipelineModel

/// A turn in the words of the turn script.
struct TurnCalls {
  /// What an answer of the script answers: places in the turn's arrays.
  enum Part {
    case completions(Range<Int>)
    case failure(Int)
    case release(Int)
    case enqueues(Range<Int>)
    case renewal(Int)
    case promotion
    case claim(Int)
    case metrics
  }

  /// Items of one script call: Redis serves nobody else meanwhile, and Lua has them on its stack at once.
  static let itemsPerCall = 500

  /// The arguments of each call of the script.
  var calls: [RedisWords] = []
  /// Those of all calls, in order.
  var parts: [Part] = []
  var room = 0
  /// Of an attempt; used again for the next.
  var text: [UInt8] = []

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    add(turn.completions, keys)
    for (index, item) in turn.failures.enumerated() { add(item, at: index, turn.now, keys) }
    add(turn.releases, keys)
    add(turn.enqueues, turn.now, keys)
    for (index, item) in turn.renewals.enumerated() {
      add("N", .renewal(index), item.job, item.token)
      append(item.until.milliseconds)
    }
    if turn.promotionLimit > 0 {
      add("P", .promotion)
      append(Int64(turn.promotionLimit))
    }
    for (index, item) in turn.claims.enumerated() { add(item, at: index, keys) }
    for item in turn.metrics { add(item, keys) }
  }

  /// Neighbours that are alike in what the script wants once for all of them.
  private mutating func addRuns(
    of count: Int, alike: (Int, Int) -> Bool, _ add: (inout TurnCalls, Range<Int>) -> Void
  ) {
    var start = 0
    while start < count {
      makeRoom()
      var end = start + 1
      while end < min(start + room, count), alike(start, end) { end += 1 }
      add(&self, start..<end)
      room -= end - start
      start = end
    }
  }

  private mutating func add(_ completions: [Completion], _ keys: PhaseKeys) {
    func areAlike(_ first: Int, _ second: Int) -> Bool {
      completions[first].nextPhase == completions[second].nextPhase
        && (completions[first].instructions == nil) == (completions[second].instructions == nil)
    }
    addRuns(of: completions.count, alike: areAlike) { calls, run in
      let first = completions[run.lowerBound]
      calls.begin("C", .completions(run))
      calls.append(Int64(run.count))
      calls.append(first.nextPhase.flatMap { keys.key(ofIndex: $0) }.map { String($0) } ?? "")
      calls.append(first.instructions == nil ? "0" : "1")
      for item in completions[run] { calls.append(item.job.text) }
      for item in completions[run] { calls.append(Int64(bitPattern: item.token.number)) }
      for item in completions[run] { calls.append(item.attempt, keys) }
      for item in completions[run] { item.instructions.map { calls.append($0) } }
    }
  }

  private mutating func add(_ enqueues: [NewJob], _ now: Timestamp, _ keys: PhaseKeys) {
    func due(_ item: NewJob) -> Int64 { item.notBefore.map { $0 > now ? $0.milliseconds : 0 } ?? 0 }
    func areAlike(_ first: Int, _ second: Int) -> Bool {
      enqueues[first].priority == enqueues[second].priority && due(enqueues[first]) == due(enqueues[second])
    }
    addRuns(of: enqueues.count, alike: areAlike) { calls, run in
      let first = enqueues[run.lowerBound]
      calls.begin("E", .enqueues(run))
      for number in [Int64(run.count), Int64(keys.keys[0]), Int64(first.priority), due(first)] { calls.append(number) }
      for item in enqueues[run] { calls.append(item.id.text) }
      for item in enqueues[run] { calls.append(item.instructions) }
    }
  }

  private mutating func add(_ item: Failure, at index: Int, _ now: Timestamp, _ keys: PhaseKeys) {
    let counter =
      switch item.attempt.outcome {
      case .failed, .timedOut, .permanentFailure: "f"
      case .crashed: "c"
      case .succeeded, .retryRequested, .cancelled, .lost, .handedBack: ""
      }
    let (state, due): (JobState, Int64) =
      switch item.verdict {
      case .retry(let due) where due > now: (.delayed, due.milliseconds)
      case .retry: (.waiting, 0)
      case .bury: (.dead, 0)
      case .cancel: (.cancelled, 0)
      }
    add("F", .failure(index), item.job, item.token)
    append(counter)
    append(Int64(state.rawValue))
    append(due)
    append(AttemptText.text(item.error))
    append(item.attempt, keys)
  }

  /// Backwards, so that the first of them ends up in front. Where two have the same token the first is meant.
  private mutating func add(_ releases: [Release], _ keys: PhaseKeys) {
    var seen: Set<LeaseToken> = []
    let isFirst = releases.map { seen.insert($0.token).inserted }
    for index in releases.indices.reversed() where isFirst[index] {
      let item = releases[index]
      add("L", .release(index), item.job, item.token)
      if let attempt = item.attempt { append(attempt, keys) } else { append("") }
    }
  }

  private mutating func add(_ item: Claim, at index: Int, _ keys: PhaseKeys) {
    guard item.limit > 0, let key = keys.key(ofIndex: item.phase) else { return }
    add("G", .claim(index))
    append(Int64(key))
    append(Int64(item.limit))
    append(item.worker.text)
    append(item.leaseUntil.milliseconds)
  }

  private mutating func add(_ item: PhaseMetrics, _ keys: PhaseKeys) {
    guard let key = keys.key(ofIndex: item.phase) else { return }
    let fields = MetricsFields.nonZero(item)
    add("M", .metrics)
    append(item.minute)
    append(Int64(fields.count))
    for field in fields {
      append("\(key):\(field.name)")
      append(field.value)
    }
  }
}
