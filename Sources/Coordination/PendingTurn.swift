internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A store turn as it fills up, with what must be answered to whom once the store has answered.
struct PendingTurn {
  var turn: StoreTurn
  /// Parallel to `turn.settlements`.
  private(set) var settling: [Settling] = []
  /// Some of them say what became of an attempt, rather than only give a job back.
  private var hasOutcomes = false
  /// Parallel to `turn.enqueues`.
  private var enqueuing: [EnqueueSlot] = []
  private(set) var enqueueBytes = 0
  /// Replies that wait for `enqueuing`.
  private(set) var replies: [OpenReply] = []
  /// Parallel to `turn.claims`.
  private(set) var shares: [WorkerRoster.Share] = []
  /// Jobs this turn puts into the queue of each phase, if the store agrees.
  private(set) var arrivals: [Int]

  /// Somebody is to be told once it is done.
  var isWaitedFor: Bool { hasOutcomes || !replies.isEmpty }

  /// A store that takes it has shown that it can write.
  var writes: Bool { !(settling.isEmpty && replies.isEmpty && turn.metrics.isEmpty) }

  init(now: Timestamp, phases: Int) {
    turn = StoreTurn(now: now)
    arrivals = Array(repeating: 0, count: phases)
  }

  /// - Parameter position: in the reply that `expect` will add.
  mutating func enqueue(_ job: NewJob, into phase: Int, position: Int) {
    turn.enqueues.append(job)
    enqueuing.append(EnqueueSlot(reply: replies.count, position: position))
    enqueueBytes += job.instructions.count
    if job.notBefore == nil { arrivals[phase] += 1 }
  }

  mutating func expect(_ reply: EnqueueReply, to route: [UInt8]) {
    replies.append(OpenReply(route: route, reply: reply))
  }

  /// Ends a lease.
  mutating func settle(
    _ lease: Lease, _ attempt: AttemptRecord?, _ effect: Effect, reportedBy route: [UInt8] = [],
    durationMicroseconds: Int64 = 0
  ) {
    turn.settlements.append(
      Settlement(
        job: lease.job, token: lease.token, from: lease.phase, counters: lease.counters, attempt: attempt,
        effect: effect))
    settling.append(Settling(route: route, lease: lease, durationMicroseconds: durationMicroseconds))
    if !effect.isToFront { hasOutcomes = true }
    if let next = effect.destination { arrivals[next] += 1 }
  }

  mutating func claim(_ shares: [WorkerRoster.Share]) {
    self.shares = shares
    turn.claims = shares.map { Claim(phase: $0.phase, worker: $0.worker, limit: $0.limit) }
  }

  /// Its replies, now that the store has said which jobs it had already.
  func replies(after outcomes: [EnqueueOutcome]) -> [OpenReply] {
    var answered = replies
    for (slot, outcome) in zip(enqueuing, outcomes) {
      guard case .duplicate(let state) = outcome else { continue }
      answered[slot.reply].reply.jobs[slot.position].code = .duplicate
      answered[slot.reply].reply.jobs[slot.position].message = "there already, \(state)"
    }
    return answered
  }

  /// Its replies where nobody knows whether the jobs are stored.
  func replies(refusing code: ReplyCode, _ message: String) -> [OpenReply] {
    var refused = replies
    for reply in refused.indices {
      for job in refused[reply].reply.jobs.indices where refused[reply].reply.jobs[job].code == .ok {
        refused[reply].reply.jobs[job].code = code
        refused[reply].reply.jobs[job].message = message
      }
    }
    return refused
  }

  /// A lease that is being ended.
  struct Settling {
    /// Of the worker that waits for its report to be acknowledged; empty where nobody does.
    var route: [UInt8]
    var lease: Lease
    var durationMicroseconds: Int64
  }

  /// An index into `replies`, and the place within that reply.
  private struct EnqueueSlot {
    var reply: Int
    var position: Int
  }

  struct OpenReply {
    var route: [UInt8]
    var reply: EnqueueReply
  }
}
