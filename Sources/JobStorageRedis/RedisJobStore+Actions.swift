public import JobStorage
public import PipelineModel

extension RedisJobStore {
  /// Jobs of one script: each is several commands.
  private static let jobsPerCall = 100

  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try cancel([id], now: now)[0]
  }

  private func cancel(
    _ ids: [JobID], now: Timestamp
  ) throws(StoreError) -> [(was: JobState, lease: RunningJob?)?] {
    let session = try opened("cancel")
    let names = ids.map { Array($0.text.utf8) }
    let words = try run(.cancel, names, session, now: now, operation: "cancel").array ?? []
    guard words.count == 2 * ids.count else { throw corrupt("cancel", "an answer") }
    return ids.enumerated().map { place, id in
      guard let was = words[2 * place].number.flatMap({ JobState(rawValue: UInt8(clamping: $0)) }) else { return nil }
      let lease = words[2 * place + 1].string.flatMap(RedisLease.init(text:))
      return (was, was == .running ? lease?.runningJob(id, keys: session.keys) : nil)
    }
  }

  public func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    let states = filter.states(for: action)
    if let id = filter.id {
      var step = ActionStep()
      let name = Array(id.text.utf8)
      let head = try asking(action.rawValue) { queries throws(StoreError) in
        try queries.heads(of: [name], action.rawValue)[0]
      }
      guard let head else { return step }
      step.examined = 1
      try change([head], action, states, filter, now: now, &step)
      return step
    }
    var at: ActionCursor
    if let cursor { at = try ActionCursor(cursor) } else { at = ActionCursor(upTo: try lastSerial(action)) }
    // A requeue goes through the jobs once for each state, so that the dead come before the cancelled.
    let passes = action == .requeue ? states.map { [$0] } : [states]
    return try walk(passes, from: &at, action, filter, limit: limit, now: now)
  }

  public func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    let name = Array(id.text.utf8)
    let head = try asking("requeue") { queries throws(StoreError) in try queries.heads(of: [name], "requeue")[0] }
    guard let head else { return nil }
    var step = ActionStep()
    step.examined = 1
    try requeue([head], with: instructions, now: now, &step)
    return (head.state, step)
  }

  private func requeue(
    _ heads: [JobHead], with instructions: [UInt8]?, now: Timestamp, _ step: inout ActionStep
  ) throws(StoreError) {
    let session = try opened("requeue")
    let jobs = heads.flatMap { head -> [[UInt8]] in
      guard let move = JobLifecycle.requeue(head.standing(session.keys), with: instructions) else { return [] }
      let id = Array(head.id.text.utf8)
      return [id, Array("\(head.state.rawValue)".utf8), move.counters.text] + [move.instructions].compactMap(\.self)
    }
    guard !jobs.isEmpty else { return }
    let isEdited = Array((instructions == nil ? "0" : "1").utf8)
    try note(try run(.requeue, [isEdited] + jobs, session, now: now, operation: "requeue"), as: session, &step)
  }

  /// What a script answers that puts jobs back: the phase of each.
  private func note(_ reply: RedisReply, as session: Session, _ step: inout ActionStep) throws(StoreError) {
    for key in reply.array ?? [] {
      guard let key = key.number else { throw corrupt("requeue", "an answer") }
      step.requeued[session.keys.shownIndex(ofKey: Int(key)), default: 0] += 1
      step.changed += 1
    }
  }

  private func walk(
    _ passes: [[JobState]], from at: inout ActionCursor, _ action: FilterAction, _ filter: JobFilter, limit: Int,
    now: Timestamp
  ) throws(StoreError) -> ActionStep {
    var step = ActionStep()
    while at.pass < passes.count {
      let states = passes[at.pass]
      let wanted = min(Self.jobsPerCall, max(0, limit - step.examined) + 1)
      let (from, to) = ("(\(at.serial)", String(at.upTo))
      let index = JobFilter(states: Set(states)).index
      let entries = try asking(action.rawValue) { queries throws(StoreError) in
        try queries.entries(of: index, from: from, to: to, wanted, action.rawValue)
      }
      let examined = entries.prefix(max(0, limit - step.examined))
      try change(examined.compactMap(\.head), action, states, filter, now: now, &step)
      step.examined += examined.count
      if let last = examined.last { at.serial = last.serial }
      if examined.count < entries.count {
        step.next = at.text
        return step
      }
      guard entries.count < wanted else { continue }
      at.pass += 1
      at.serial = 0
    }
    return step
  }

  private func lastSerial(_ action: FilterAction) throws(StoreError) -> UInt64 {
    try asking(action.rawValue) { queries throws(StoreError) in
      let serial = try queries.ask("HGET", "meta", ["serial"], for: action.rawValue).string
      return UInt64(serial.flatMap { Stored.count($0) } ?? 0)
    }
  }

  /// Does it to those of `heads` that are meant.
  private func change(
    _ heads: [JobHead], _ action: FilterAction, _ states: [JobState], _ filter: JobFilter, now: Timestamp,
    _ step: inout ActionStep
  ) throws(StoreError) {
    let isMeant = try asking(action.rawValue) { queries throws(StoreError) in
      try queries.matching(heads, filter, action.rawValue)
    }
    let meant = zip(heads, isMeant).filter { $0.1 && states.contains($0.0.state) }.map(\.0)
    switch action {
    case .cancel: try cancel(meant.map(\.id), now: now, &step)
    case .requeue: try requeue(meant, with: nil, now: now, &step)
    case .delete: step.changed += try remove(meant.map { Array($0.id.text.utf8) }, now: now, operation: "delete")
    }
  }

  private func cancel(_ ids: [JobID], now: Timestamp, _ step: inout ActionStep) throws(StoreError) {
    guard !ids.isEmpty else { return }
    for (id, cancelled) in zip(ids, try cancel(ids, now: now)) {
      guard let cancelled, !cancelled.was.isFinal else { continue }
      if let lease = cancelled.lease { step.broken.append(lease) }
      step.cancelled.append(id)
      step.changed += 1
    }
  }

  func remove(_ ids: [[UInt8]], now: Timestamp, operation: String) throws(StoreError) -> Int {
    guard !ids.isEmpty else { return 0 }
    return Int(clamping: try run(.delete, ids, try opened(operation), now: now, operation: operation).number ?? 0)
  }
}

extension JobHead {
  fileprivate func standing(_ keys: PhaseKeys) -> Standing {
    Standing(state: state, phase: keys.index(ofKey: job.key), counters: job.counters)
  }
}
