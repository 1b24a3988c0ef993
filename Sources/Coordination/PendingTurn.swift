internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A store turn as it fills up, with what must be answered to whom once the store has answered.
struct PendingTurn {
  var turn: StoreTurn
  /// Parallel to `turn.settlements`.
  private(set) var settling: [Settling] = []
  /// Some of them say what became of an attempt, rather than only give a job back.
  private(set) var hasOutcomes = false
  /// Parallel to `turn.enqueues`.
  var enqueuing: [EnqueueSlot] = []
  var enqueueBytes = 0
  /// Replies that wait for `enqueuing`.
  var replies: [OpenReply] = []
  /// Parallel to `turn.claims`.
  var shares: [WorkerRoster.Share] = []
  /// Jobs this turn puts into the queue of each phase, if the store agrees.
  var arrivals: [Int]

  /// Somebody is to be told once it is done.
  var isWaitedFor: Bool { hasOutcomes || !replies.isEmpty }

  /// A store that takes it has shown that it can write.
  var writes: Bool { !(settling.isEmpty && replies.isEmpty && turn.metrics.isEmpty) }

  init(now: Timestamp, phases: Int) {
    turn = StoreTurn(now: now)
    arrivals = Array(repeating: 0, count: phases)
  }

  /// Ends the lease of a flight.
  mutating func settle(
    _ flight: Flight, _ attempt: AttemptRecord?, _ effect: Effect, reportedBy route: [UInt8] = [],
    durationMicroseconds: Int64 = 0
  ) {
    turn.settlements.append(
      Settlement(
        job: flight.job, token: flight.token, from: flight.phase, counters: flight.counters, attempt: attempt,
        effect: effect))
    settling.append(Settling(route: route, flight: flight, durationMicroseconds: durationMicroseconds))
    if !effect.isToFront { hasOutcomes = true }
    if let next = effect.destination { arrivals[next] += 1 }
  }

  /// A lease that is being ended.
  struct Settling {
    /// Of the worker that waits for its report to be acknowledged; empty where nobody does.
    var route: [UInt8]
    var flight: Flight
    var durationMicroseconds: Int64
  }

  struct EnqueueSlot {
    /// Index into `replies`, and the place within that reply.
    var reply: Int
    var position: Int
  }

  struct OpenReply {
    var route: [UInt8]
    var reply: EnqueueReply
  }
}
