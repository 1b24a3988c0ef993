internal import JobStorage
internal import PipelineModel

/// The arguments of the turn script for parts of a turn, one call after the other.
struct TurnWords {
  private let turn: StoreTurn
  private let keys: PhaseKeys
  private var words = RedisWords()
  /// Of an attempt; used again for the next.
  private var text: [UInt8] = []

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    self.turn = turn
    self.keys = keys
  }

  mutating func call(_ parts: ArraySlice<TurnPlan.Part>) -> RedisWords {
    words = RedisWords()
    for part in parts {
      switch part {
      case .completions(let run): append(completions: run)
      case .failure(let index): append(turn.failures[index])
      case .release(let index): append(turn.releases[index])
      case .enqueues(let run): append(enqueues: run)
      case .promotion(let limit):
        words.append("P" as Unicode.Scalar)
        append(Int64(limit))
        append(turn.promotionTime.milliseconds)
      case .claim(let index, let limit): append(turn.claims[index], limit: limit)
      case .metrics(let index): append(turn.metrics[index])
      }
    }
    return words
  }

  private mutating func append(completions run: Range<Int>) {
    let first = turn.completions[run.lowerBound]
    words.append("C" as Unicode.Scalar)
    append(Int64(run.count))
    words.append(first.nextPhase.flatMap { keys.key(ofIndex: $0) }.map { String($0) } ?? "")
    words.append(first.instructions == nil ? "0" : "1")
    for item in turn.completions[run] { words.append(item.job.text) }
    for item in turn.completions[run] { append(Int64(clamping: item.token.number)) }
    for item in turn.completions[run] { append(item.attempt) }
    for item in turn.completions[run] { item.instructions.map { words.append($0) } }
  }

  private mutating func append(enqueues run: Range<Int>) {
    let first = turn.enqueues[run.lowerBound]
    words.append("E" as Unicode.Scalar)
    for number in [Int64(run.count), Int64(keys.keys[0]), Int64(first.priority), first.due(after: turn.promotionTime)] {
      append(number)
    }
    for item in turn.enqueues[run] { words.append(item.id.text) }
    for item in turn.enqueues[run] { words.append(item.instructions) }
  }

  private mutating func append(_ item: Failure) {
    let counter =
      switch item.attempt.outcome {
      case .failed, .timedOut, .permanentFailure: "f"
      case .crashed: "c"
      case .lost: "l"
      case .succeeded, .retryRequested, .cancelled, .handedBack: ""
      }
    let (state, due): (JobState, Int64) =
      switch item.verdict {
      case .retry(let due) where due > turn.promotionTime: (.delayed, due.milliseconds)
      case .retry: (.waiting, 0)
      case .bury: (.dead, 0)
      case .cancel: (.cancelled, 0)
      }
    begin("F", item.job, item.token)
    words.append(counter)
    append(Int64(state.rawValue))
    append(due)
    words.append(AttemptText.text(item.error))
    append(item.attempt)
  }

  private mutating func append(_ item: Release) {
    begin("L", item.job, item.token)
    words.append(item.losses.map { String(max(0, $0)) } ?? "")
    if let attempt = item.attempt { append(attempt) } else { words.append("") }
  }

  private mutating func append(_ item: Claim, limit: Int) {
    words.append("G" as Unicode.Scalar)
    append(Int64(keys.key(ofIndex: item.phase) ?? 0))
    append(Int64(limit))
    words.append(item.worker.text)
  }

  private mutating func append(_ item: PhaseMetrics) {
    let key = keys.key(ofIndex: item.phase) ?? 0
    let fields = MetricsFields.nonZero(item)
    words.append("M" as Unicode.Scalar)
    append(item.minute)
    append(Int64(fields.count))
    for field in fields {
      words.append("\(key):\(field.name)")
      append(field.value)
    }
  }

  private mutating func begin(_ letter: Unicode.Scalar, _ job: JobID, _ token: LeaseToken) {
    words.append(letter)
    words.append(job.text)
    append(Int64(clamping: token.number))
  }

  private mutating func append(_ number: Int64) { words.append(number: number) }

  private mutating func append(_ attempt: AttemptRecord) {
    text.removeAll(keepingCapacity: true)
    text.append(UInt8(ascii: "\n"))
    AttemptText.append(attempt, key: keys.key(ofIndex: attempt.phase) ?? 0, to: &text)
    words.append(text)
  }
}
