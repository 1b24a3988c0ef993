internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A store turn as it fills up, with what must be answered to whom once the store has answered.
struct PendingTurn {
  var turn: StoreTurn
  /// Parallel to `turn.completions`, `turn.failures` and `turn.releases`.
  var completing: [Settlement] = []
  var failing: [Settlement] = []
  var releasing: [LeaseToken] = []
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
  var isWaitedFor: Bool { !(completing.isEmpty && failing.isEmpty && replies.isEmpty) }

  /// A store that takes it has shown that it can write.
  var writes: Bool { isWaitedFor || !(turn.releases.isEmpty && turn.metrics.isEmpty) }

  init(now: Timestamp, phases: Int) {
    turn = StoreTurn(now: now)
    arrivals = Array(repeating: 0, count: phases)
  }

  /// A report whose sender waits for its acknowledgement; an empty route where nobody does.
  struct Settlement {
    var route: [UInt8]
    var flight: Flight
    var outcome: AttemptOutcome
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
