internal import JobStorage
internal import PipelineModel

/// The arguments of the turn script for parts of a turn, one call after the other.
struct TurnArguments {
  private let turn: StoreTurn
  private let keys: PhaseKeys
  private var words = RESPEncoder()
  /// Of an attempt; used again for the next.
  private var text: [UInt8] = []

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    self.turn = turn
    self.keys = keys
  }

  mutating func call(_ parts: ArraySlice<TurnPlan.Part>) -> RESPEncoder {
    words = RESPEncoder()
    for part in parts {
      switch part {
      case .settlements(let run, let head): append(settlements: run, head)
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

  private mutating func append(settlements run: Range<Int>, _ head: SettledHead) {
    words.append("S" as Unicode.Scalar)
    append(Int64(run.count))
    words.append(keys.key(ofIndex: head.from).map { String($0) } ?? "")
    append(head)
    words.append(head.erred)
    if case .delayed(let due) = head.to { append(due.milliseconds) } else { append(0) }
    words.append(head.isToFront ? "1" : "0")
    words.append(head.hasInstructions ? "1" : "0")
    let settlements = turn.settlements[run]
    for item in settlements { words.append(item.job.text) }
    for item in settlements { append(Int64(clamping: item.token.number)) }
    for item in settlements { append(item.attempt) }
    if head.hasInstructions { for item in settlements { words.append(item.effect.instructions ?? []) } }
    if head.erred == "1" { for item in settlements { words.append(item.effect.error.map(AttemptText.text) ?? []) } }
  }

  /// `STATE KEY a f c l`. Where a job is not put into a queue it stays in its phase.
  private mutating func append(_ head: SettledHead) {
    let (state, phase): (JobState, Int) =
      switch head.to {
      case .queue(let phase, _): (.waiting, phase)
      case .delayed: (.delayed, head.from)
      case .finished(let state): (state, head.from)
      }
    text.removeAll(keepingCapacity: true)
    text.append(decimal: Int64(state.rawValue))
    text.append(afterSpace: keys.key(ofIndex: phase) ?? 0)
    text.append(UInt8(ascii: " "))
    text.append(contentsOf: head.counters.text)
    words.append(text)
  }

  private mutating func append(enqueues run: Range<Int>) {
    let first = turn.enqueues[run.lowerBound]
    words.append("E" as Unicode.Scalar)
    for number in [Int64(run.count), Int64(keys.startKey), Int64(first.priority), first.due(after: turn.promotionTime)]
    {
      append(number)
    }
    for item in turn.enqueues[run] { words.append(item.id.text) }
    for item in turn.enqueues[run] { words.append(item.instructions) }
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

  private mutating func append(_ number: Int64) { words.append(number: number) }

  private mutating func append(_ attempt: AttemptRecord?) {
    guard let attempt else { return words.append("") }
    text.removeAll(keepingCapacity: true)
    text.append(UInt8(ascii: "\n"))
    AttemptText.append(attempt, key: keys.key(ofIndex: attempt.phase) ?? 0, to: &text)
    words.append(text)
  }
}

extension JobCounters {
  /// `a f c l`, as a job's text has them (`scriptPrelude`).
  var text: [UInt8] {
    var text: [UInt8] = []
    text.append(decimal: Int64(attempt))
    for count in [failures, crashes, losses] { text.append(afterSpace: count) }
    return text
  }
}
