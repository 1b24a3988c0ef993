import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

/// A coordinator as far as credits go: its real roster, a queue, and a store that answers a while later. Mirrors
/// Coordinator+Turn, +Workers and +Reports.
final class SimulatedCoordinator {
  private struct Turn {
    var shares: [WorkerRoster.Share] = []
    var settled: [(token: LeaseToken, microseconds: Int64?)] = []
    var released: [LeaseToken] = []
    var acknowledged: [(connection: Int, token: LeaseToken)] = []

    var isEmpty: Bool { shares.isEmpty && settled.isEmpty && released.isEmpty }
  }

  unowned let world: CreditWorld
  let number: Int
  private let pipeline: PipelineDefinition
  private(set) var roster: WorkerRoster
  private(set) var run = 1
  /// When each of the jobs that wait was added.
  private(set) var queue: [Int64] = []
  private var queueHead = 0
  /// There is always a next one.
  var isInsatiable = false
  var isDown = false
  private var hangsUntil: Int64 = 0
  private var mail: [(message: ToCoordinator, connection: Int)] = []
  private var pending = Turn()
  private var inStore: Turn?
  private var isDemandDue = false
  private var waitingAsTold = false
  private var tickAt: Int64 = 0
  private var lastStep: Int64 = 0
  private var tokens: UInt64
  private(set) var demandsTold = 0

  init(_ number: Int, in world: CreditWorld) throws {
    self.world = world
    self.number = number
    pipeline = try PipelineDefinition(name: "p\(number)", phases: [PhaseDefinition(jobType: "work")])
    roster = WorkerRoster(pipeline: pipeline)
    tokens = UInt64(number) << 40
  }

  var hangs: Bool { world.now < hangsUntil }
  var waiting: Int { queue.count - queueHead }
  var oldest: Int64? { queueHead < queue.count ? queue[queueHead] : nil }

  func add(_ count: Int) {
    for _ in 0..<count { queue.append(world.now) }
    if !isDown && !hangs { step() }
  }

  func forgetQueue() { (queue, queueHead) = ([], 0) }

  func hang(until: Int64) {
    guard !isDown else { return }
    hangsUntil = until
    world.plan(.coordinatorWakes(number), at: until)
  }

  /// Ends without a word. What its store knows of leases stays.
  func stop() {
    isDown = true
    hangsUntil = 0
    mail = []
    (pending, inStore) = (Turn(), nil)
  }

  func start() {
    isDown = false
    run += 1
    let held = roster.leases.values.sorted { $0.token < $1.token }
    roster = WorkerRoster(pipeline: pipeline)
    for former in held {
      roster.add(lease(former.token, worker: former.worker, handle: nil))
    }
    waitingAsTold = false
    lastStep = world.now
    step()
  }

  func receive(_ message: ToCoordinator, by connection: Int) {
    guard !isDown else { return }
    mail.append((message, connection))
    if !hangs { step() }
  }

  func wake() { if !isDown && !hangs { step() } }

  func storeAnswers(run: Int) {
    guard run == self.run, !isDown, inStore != nil else { return }
    if hangs { return world.plan(.storeAnswers(number, run: run), at: hangsUntil) }
    step(storeHasAnswered: true)
  }

  // MARK: - The loop

  private func step(storeHasAnswered: Bool = false) {
    let now = world.instant
    if world.now - lastStep > 1_000_000 { roster.resetHeartbeats(now: now) }
    lastStep = world.now
    let mail = mail
    self.mail = []
    for (message, connection) in mail { read(message, by: connection) }
    if world.now >= tickAt {
      tickAt = world.now + 100_000
      carryOut(roster.tick(now: now))
      tellDemand(isTick: true)
    }
    if storeHasAnswered { apply() }
    submit()
    tellDemand(isTick: false)
  }

  private func read(_ message: ToCoordinator, by connection: Int) {
    let route = Self.route(connection)
    switch message {
    case .hello(let hello):
      carryOut(roster.observe(hello, from: route, now: world.instant))
      isDemandDue = true
    case .credit(let credit):
      _ = roster.observe(credit, from: route)
      isDemandDue = true
    case .ended: roster.ended(route, now: world.instant)
    case .reports(let reports): for report in reports { take(report, by: connection) }
    }
  }

  private func take(_ report: SimulatedReport, by connection: Int) {
    guard let lease = roster.leases[report.token] else {
      return world.send(.acknowledgement([report.token]), by: connection)
    }
    guard lease.stage == .out else { return }
    roster.mark(report.token, .recording)
    if report.isHandedBack {
      pending.released.append(report.token)
      world.send(.acknowledgement([report.token]), by: connection)
    } else {
      pending.settled.append((report.token, report.microseconds))
      pending.acknowledged.append((connection, report.token))
    }
  }

  private func carryOut(_ actions: [WorkerRoster.Action]) {
    // Dictionaries have another order in each process, and a seed is to tell the same story each time.
    for action in actions.map({ (key: "\($0)", action: $0) }).sorted(by: { $0.key < $1.key }).map(\.action) {
      switch action {
      case .welcome(let worker): send(.welcome(run: run), to: worker)
      case .cancel(let worker, let tokens): send(.cancel(tokens), to: worker)
      case .recall(let worker, let tokens): send(.recall(tokens), to: worker)
      case .release(let tokens, _):
        for token in tokens where roster.leases[token]?.stage == .out {
          roster.mark(token, .recording)
          pending.released.append(token)
        }
      case .lost, .arrived: break
      case .refuse(_, _, _, let message): Issue.record("a worker was refused: \(message)")
      }
    }
  }

  private func submit() {
    guard inStore == nil else { return }
    if isInsatiable, waiting < 1_000 { for _ in waiting..<2_000 { queue.append(world.now) } }
    if waiting > 0 { pending.shares = roster.share(queued: [waiting], allowance: nil, isPaused: { _ in false }) }
    guard !pending.isEmpty else { return }
    inStore = pending
    pending = Turn()
    world.plan(.storeAnswers(number, run: run), at: world.now + world.random(100...2_000))
  }

  private func apply() {
    guard let turn = inStore else { return }
    inStore = nil
    for (token, microseconds) in turn.settled {
      roster.forgetLease(token)
      if let microseconds { roster.noteDuration(microseconds: microseconds, phase: 0) }
    }
    for token in turn.released where roster.forgetLease(token) != nil { queue.append(world.now) }
    for (connection, token) in turn.acknowledged { world.send(.acknowledgement([token]), by: connection) }
    for share in turn.shares { dispatch(share) }
    if roster.owesCredits { isDemandDue = true }
  }

  private func dispatch(_ share: WorkerRoster.Share) {
    roster.claimed(share)
    let count = min(share.limit, waiting)
    guard count > 0 else { return }
    queueHead += count
    if queueHead > 10_000 {
      queue.removeFirst(queueHead)
      queueHead = 0
    }
    var given: [LeaseToken] = []
    for _ in 0..<count {
      tokens += 1
      given.append(LeaseToken(tokens))
      roster.add(lease(LeaseToken(tokens), worker: share.worker, handle: share.handle))
    }
    let credit = roster.workers[share.worker]?.acknowledgedCredit
    guard let credit, send(.jobs(given, credit: credit), to: share.worker) else {
      for token in given {
        roster.mark(token, .recording)
        pending.released.append(token)
      }
      return
    }
  }

  private func tellDemand(isTick: Bool) {
    guard isDemandDue || isTick || roster.hasShared else { return }
    let isWaiting = waiting > 0
    guard isDemandDue || isTick || isWaiting != waitingAsTold else { return }
    (isDemandDue, waitingAsTold) = (false, isWaiting)
    let demands = roster.demands(waiting: [waiting], now: world.instant)
    for demand in demands.sorted(by: { $0.worker.text < $1.worker.text }) {
      demandsTold += 1
      send(.demand(demand), to: demand.worker)
    }
  }

  @discardableResult
  private func send(_ message: ToWorker, to worker: WorkerID) -> Bool {
    guard let entry = roster.workers[worker], entry.connection == .up else { return false }
    world.send(message, by: entry.route.reduce(0) { $0 << 8 | Int($1) })
    return true
  }

  private func lease(_ token: LeaseToken, worker: WorkerID, handle: LoadTable.Handle?) -> Lease {
    Lease(
      job: Self.job, token: token, phase: 0, worker: worker, handle: handle, attempt: 1, failures: 0, crashes: 0,
      since: world.instant, sinceTime: Timestamp(milliseconds: 0))
  }

  // swift-format-ignore: NeverForceUnwrap
  private static let job = JobID("j")!

  private static func route(_ connection: Int) -> [UInt8] {
    [UInt8(connection >> 16 & 0xff), UInt8(connection >> 8 & 0xff), UInt8(connection & 0xff)]
  }
}
