import Dispatch
import JobStorage
import PipelineModel
import Synchronization

/// Lets nobody look at pages of jobs until it is opened.
final class ReaderGate: Sendable {
  private let isOpen = Atomic(false)
  private let opened = DispatchSemaphore(value: 0)

  func open() {
    isOpen.store(true, ordering: .releasing)
    opened.signal()
  }

  func pass() {
    while !isOpen.load(ordering: .acquiring) { opened.wait() }
    opened.signal()
  }
}

/// Counts what happens, for a test that waits for it.
final class Arrivals: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  func note() { semaphore.signal() }

  func wait(for count: Int) { for _ in 0..<count { semaphore.wait() } }
}

/// A store in memory whose reader is somewhere else, as with those on disks and networks.
final class SlowReadingStore: JobStore {
  fileprivate let inner = Shared()
  private let gate: ReaderGate
  private let isBroken: Bool

  /// The store in memory belongs to one thread at a time.
  fileprivate final class Shared: @unchecked Sendable {
    private let store = MemoryJobStore()
    private let lock = DispatchSemaphore(value: 1)

    func with<Value>(_ body: (MemoryJobStore) throws(StoreError) -> Value) throws(StoreError) -> Value {
      lock.wait()
      defer { lock.signal() }
      return try body(store)
    }
  }

  let address = "slow:"
  let answersAtOnce = false

  private let ownerships: Arrivals

  init(_ gate: ReaderGate, isBroken: Bool = false, ownerships: Arrivals = Arrivals()) {
    self.gate = gate
    self.isBroken = isBroken
    self.ownerships = ownerships
  }

  func makeReader() throws(StoreError) -> (any JobReader)? { Reader(inner, gate, isBroken: isBroken) }

  func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try inner.with { store throws(StoreError) in try store.apply(turn) }
  }
  func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    try inner.with { store throws(StoreError) in try store.open(pipeline, owner: owner, now: now) }
  }
  func keepOwnership(now: Timestamp) throws(StoreError) {
    ownerships.note()
    try inner.with { store throws(StoreError) in try store.keepOwnership(now: now) }
  }
  func runningJobs() throws(StoreError) -> [RunningJob] {
    try inner.with { store throws(StoreError) in try store.runningJobs() }
  }
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try inner.with { store throws(StoreError) in try store.cancel(id, now: now) }
  }
  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try inner.with { store throws(StoreError) in try store.requeue(id, with: instructions, now: now) }
  }
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    try inner.with { store throws(StoreError) in
      try store.perform(action, matching: filter, after: cursor, limit: limit, now: now)
    }
  }
  func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try inner.with { store throws(StoreError) in
      try store.prune(policy, metricsBefore: metricsBefore, limit: limit, now: now)
    }
  }
  func timelineOffset() throws(StoreError) -> Int64 {
    try inner.with { store throws(StoreError) in try store.timelineOffset() }
  }
  func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) {
    try inner.with { store throws(StoreError) in try store.setTimelineOffset(milliseconds) }
  }
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    try inner.with { store throws(StoreError) in try store.setPaused(paused, phase: phase) }
  }
  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    try inner.with { store throws(StoreError) in try store.paused() }
  }
  func counts() throws(StoreError) -> StoreCounts { try inner.with { store throws(StoreError) in try store.counts() } }
  func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try inner.with { store throws(StoreError) in try store.job(id) }
  }
  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try inner.with { store throws(StoreError) in try store.states(of: ids) }
  }
  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try inner.with { store throws(StoreError) in
      try store.jobs(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
    }
  }
  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try inner.with { store throws(StoreError) in try store.count(matching: filter, after: cursor, limit: limit) }
  }
  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try inner.with { store throws(StoreError) in try store.metrics(minutes: range) }
  }
  func close() { try? inner.with { store throws(StoreError) in store.close() } }

  private final class Reader: JobReader {
    private let inner: Shared
    private let gate: ReaderGate
    private let isBroken: Bool

    init(_ inner: Shared, _ gate: ReaderGate, isBroken: Bool) {
      self.inner = inner
      self.gate = gate
      self.isBroken = isBroken
    }

    func jobs(
      matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
    ) throws(StoreError) -> JobPage {
      gate.pass()
      if isBroken { throw StoreError(.corrupt, operation: "jobs", message: "no such page on purpose") }
      return try inner.with { store throws(StoreError) in
        try store.jobs(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
      }
    }
    func counts() throws(StoreError) -> StoreCounts {
      try inner.with { store throws(StoreError) in try store.counts() }
    }
    func job(_ id: JobID) throws(StoreError) -> JobRecord? {
      try inner.with { store throws(StoreError) in try store.job(id) }
    }
    func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
      try inner.with { store throws(StoreError) in try store.states(of: ids) }
    }
    func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
      try inner.with { store throws(StoreError) in try store.count(matching: filter, after: cursor, limit: limit) }
    }
    func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
      try inner.with { store throws(StoreError) in try store.metrics(minutes: range) }
    }
    func close() {}
  }
}
