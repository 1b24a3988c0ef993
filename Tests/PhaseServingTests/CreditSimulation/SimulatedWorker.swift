import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

/// A worker as far as credits go: its real ledger and paces, with slots that only let time pass. Mirrors Worker+Credits,
/// +Orders, +Links and +Hosts.
final class SimulatedWorker {
  struct Job {
    let token: LeaseToken
    let link: Int
  }

  struct Slot {
    var isAble = true
    /// The first runs, the others wait in the child.
    var jobs: [Job] = []
    var begunAt: Int64 = 0
    /// Tells a run from those before in this slot.
    var run = 0
  }

  struct Link {
    let number: Int
    var connection: Int?
    var isWelcome = false
    var formerRun: Int?
    var heardAt = Instant(milliseconds: 0)
    var backlog: [Job] = []
    var unsent: [SimulatedReport] = []
    var unanswered: [(report: SimulatedReport, sentAt: Instant)] = []
    var pace = JobPace()
  }

  unowned let world: CreditWorld
  let number: Int
  let id: WorkerID
  private(set) var slots: [Slot]
  var links: [Link]
  private(set) var ledger = CreditLedger()
  private(set) var audit: CreditAudit
  /// Time of slots that the jobs of each coordinator took, in microseconds.
  private(set) var used: [Int64]
  private(set) var creditsTold = 0
  private var isCreditDue = false
  private var helloAt = Instant(milliseconds: 0)
  private var lookAtAllAt = Instant(milliseconds: 0)
  private var able: Int

  init(_ number: Int, slots: Int, coordinators: Int, in world: CreditWorld) throws {
    self.world = world
    self.number = number
    id = try #require(WorkerID("w\(number)"))
    self.slots = Array(repeating: Slot(), count: slots)
    able = slots
    links = (0..<coordinators).map { Link(number: $0) }
    used = Array(repeating: 0, count: coordinators)
    audit = CreditAudit(coordinators: coordinators)
  }

  var ableSlots: Int { slots.count(where: \.isAble) }
  var hasIdleSlot: Bool { slots.contains { $0.isAble && $0.jobs.isEmpty } }

  func running(for link: Int) -> Int { slots.count { $0.jobs.first?.link == link } }

  func held(of link: Int) -> Int {
    links[link].backlog.count + slots.reduce(0) { $0 + $1.jobs.count { $0.link == link } }
  }

  // MARK: - What happens

  func lookAround() { step {} }

  func connected(_ link: Int, by connection: Int?) {
    step {
      links[link].connection = connection
      links[link].isWelcome = false
      links[link].heardAt = world.instant
      expire(link, all: true)
      takeSlotsBack(from: link)
      if connection != nil { sayHello(to: link) }
    }
  }

  func receive(_ message: ToWorker, by link: Int) {
    step {
      links[link].heardAt = world.instant
      if links[link].isWelcome { ledger.arrived(link) }
      switch message {
      case .welcome(let run): meet(link, run: run)
      case .demand(let demand):
        ledger.heard(link, waiting: demand.waiting, credit: demand.credit, now: world.instant)
        audit.heard(link, credit: demand.credit)
        isCreditDue = true
      case .jobs(let tokens, let credit): accept(tokens, under: credit, link)
      case .recall(let tokens): recall(Set(tokens), link)
      case .cancel(let tokens): cancel(Set(tokens), link)
      case .acknowledgement(let tokens): settle(tokens, link)
      }
    }
  }

  func runEnds(slot: Int, run: Int) {
    guard slots[slot].run == run, let job = slots[slot].jobs.first else { return }
    step {
      slots[slot].jobs.removeFirst()
      let microseconds = world.now - slots[slot].begunAt
      links[job.link].pace.noteDuration(microseconds: microseconds)
      report(job, microseconds)
      begin(slot)
    }
  }

  /// Its child has crashed, and another takes its place later or at once.
  func slot(_ slot: Int, becomesAble isAble: Bool) {
    step {
      slots[slot].isAble = isAble
      let jobs = slots[slot].jobs
      guard !isAble, let first = jobs.first else { return }
      slots[slot].jobs = []
      slots[slot].run += 1
      report(first, world.now - slots[slot].begunAt)
      for job in jobs.dropFirst().reversed() { links[job.link].backlog.insert(job, at: 0) }
    }
  }

  // MARK: - The loop

  private func step(_ happens: () -> Void) {
    audit.begin(slots: able, occupied: occupied)
    happens()
    if world.instant >= lookAtAllAt {
      lookAtAllAt = world.instant + 100
      for link in links.indices { expire(link, all: false) }
      watchLinks()
    }
    judgeService()
    giveOut()
    lendSlots()
    audit.end(slots: able, occupied: occupied, worker: number, world)
    sendReports()
    if world.instant >= helloAt {
      helloAt = world.instant + 1_000
      for link in links.indices where links[link].connection != nil { sayHello(to: link) }
    }
  }

  /// What each coordinator keeps of the slots, by what it holds and what it may still send.
  private var occupied: [Int] {
    let loads = loads
    return links.map { max(audit.lent($0.number), loads[$0.number]?.slots ?? 0) }
  }

  private func judgeService() {
    guard ableSlots != able else { return }
    able = ableSlots
    helloAt = world.instant
    isCreditDue = true
    guard able == 0 else { return }
    for link in links.indices {
      while !links[link].backlog.isEmpty { handBack(links[link].backlog.removeFirst()) }
    }
  }

  private func watchLinks() {
    guard links.count > 1 else { return }
    for link in links where world.instant - link.heardAt > 1_400 { takeSlotsBack(from: link.number) }
  }

  private var isShared: Bool { links.count(where: \.isWelcome) > 1 }

  private func takeSlotsBack(from link: Int) {
    ledger.left(link)
    audit.left(link)
    isCreditDue = true
  }

  private func meet(_ link: Int, run: Int) {
    links[link].isWelcome = true
    if links[link].formerRun != run { expire(link, all: true) }
    links[link].formerRun = run
    if isShared { helloAt = world.instant }
    ledger.arrived(link)
    isCreditDue = true
  }

  // MARK: - Jobs

  private func accept(_ tokens: [LeaseToken], under credit: UInt64, _ link: Int) {
    let mayHave = ledger.counts(credit, of: link)
    for token in tokens {
      let job = Job(token: token, link: link)
      if mayHave && able > 0 { links[link].backlog.append(job) } else { handBack(job) }
    }
    guard mayHave, able > 0 else { return }
    audit.took(link, held: held(of: link), worker: number, world)
  }

  private func recall(_ tokens: Set<LeaseToken>, _ link: Int) {
    for job in links[link].backlog where tokens.contains(job.token) { handBack(job) }
    links[link].backlog.removeAll { tokens.contains($0.token) }
    withdraw(tokens, link) { handBack($0) }
  }

  private func cancel(_ tokens: Set<LeaseToken>, _ link: Int) {
    links[link].backlog.removeAll { tokens.contains($0.token) }
    settle(Array(tokens), link)
    withdraw(tokens, link) { _ in }
    for slot in slots.indices {
      guard let job = slots[slot].jobs.first, job.link == link, tokens.contains(job.token) else { continue }
      slots[slot].jobs.removeFirst()
      report(job, world.now - slots[slot].begunAt)
      begin(slot)
    }
    isCreditDue = true
  }

  /// Those that a child has not begun.
  private func withdraw(_ tokens: Set<LeaseToken>, _ link: Int, _ take: (Job) -> Void) {
    for slot in slots.indices {
      for job in slots[slot].jobs.dropFirst() where job.link == link && tokens.contains(job.token) { take(job) }
      slots[slot].jobs =
        Array(slots[slot].jobs.prefix(1))
        + slots[slot].jobs.dropFirst().filter {
          $0.link != link || !tokens.contains($0.token)
        }
    }
  }

  private func giveOut() {
    while let link = nextToServe(), let slot = slotToGive(link) {
      slots[slot].jobs.append(links[link].backlog.removeFirst())
      if slots[slot].jobs.count == 1 { begin(slot) }
    }
  }

  private func begin(_ slot: Int) {
    slots[slot].run += 1
    slots[slot].begunAt = world.now
    guard let job = slots[slot].jobs.first else { return }
    world.plan(
      .runEnds(worker: number, slot: slot, run: slots[slot].run), at: world.now + world.duration(of: job.link))
  }

  private func nextToServe() -> Int? {
    let waiting = links.filter { !$0.backlog.isEmpty }.map(\.number)
    return ledger.next(of: waiting) { link in
      let running = slots.reduce(0) { $0 + $1.jobs.count { $0.link == link } }
      return CreditLedger.Running(
        slots: self.running(for: link), microseconds: Double(running) * (links[link].pace.meanDuration ?? 0))
    }
  }

  private func slotToGive(_ link: Int) -> Int? {
    let mean = links[link].pace.meanDuration ?? .infinity
    let depth = mean < 5_000 ? min(max(2, Int(2_000 / max(mean, 1))), 32) : 1
    let together = min(depth, max(1, Int(200 / max(mean, 1))))
    for level in stride(from: together, through: depth, by: together) {
      let slot = slots.firstIndex { $0.isAble && $0.jobs.count < level && !isLong($0) }
      if let slot { return slot }
    }
    return nil
  }

  private func isLong(_ slot: Slot) -> Bool {
    guard let first = slot.jobs.first else { return false }
    if world.now - slot.begunAt > 20_000 { return true }
    guard links.count > 1 else { return false }
    return links[first.link].pace.meanDuration ?? .infinity >= 5_000
  }

  // MARK: - Credits

  private var loads: [CreditLedger.Borrower: CreditLedger.Load] {
    var loads: [CreditLedger.Borrower: CreditLedger.Load] = [:]
    for link in links {
      loads[link.number] = CreditLedger.Load(
        held: link.backlog.count, depth: links.count > 1 ? link.pace.sharedDepth : link.pace.depth)
    }
    for slot in slots { for job in slot.jobs { loads[job.link]?.held += 1 } }
    return loads
  }

  private func lendSlots() {
    guard isCreditDue || links.count > 1 else { return }
    isCreditDue = false
    let loads = loads
    for link in ledger.decide(slots: able, loads: loads, now: world.instant) {
      let credit = ledger.credit(of: link)
      audit.told(link, credit, depth: loads[link]?.depth ?? 1, worker: number, world)
      creditsTold += 1
      send(.credit(CreditMessage(worker: id, credit: credit)), to: link)
    }
    guard links.count > 1 else { return }
    for link in links.indices {
      var surplus = (loads[link]?.held ?? 0) - ledger.credit(of: link).jobs
      while surplus > 0, let job = links[link].backlog.popLast() {
        handBack(job)
        surplus -= 1
      }
    }
  }

  // MARK: - Reports and hellos

  private func handBack(_ job: Job) {
    isCreditDue = true
    links[job.link].unsent.append(SimulatedReport(token: job.token, isHandedBack: true, microseconds: 0))
  }

  private func report(_ job: Job, _ microseconds: Int64) {
    ledger.spent(Double(microseconds), by: job.link)
    used[job.link] += microseconds
    isCreditDue = true
    links[job.link].unsent.append(SimulatedReport(token: job.token, isHandedBack: false, microseconds: microseconds))
  }

  private func sendReports() {
    for link in links.indices where links[link].isWelcome && !links[link].unsent.isEmpty {
      let reports = links[link].unsent
      send(.reports(reports), to: link)
      links[link].unanswered += reports.map { ($0, world.instant) }
      links[link].unsent = []
    }
  }

  private func expire(_ link: Int, all: Bool) {
    let expired = links[link].unanswered.filter { all || world.instant - $0.sentAt >= 1_000 }
    guard !expired.isEmpty else { return }
    links[link].unanswered.removeAll { all || world.instant - $0.sentAt >= 1_000 }
    links[link].unsent += expired.map(\.report)
  }

  private func settle(_ tokens: [LeaseToken], _ link: Int) {
    links[link].unanswered.removeAll { tokens.contains($0.report.token) }
    links[link].unsent.removeAll { tokens.contains($0.token) }
  }

  private func sayHello(to link: Int) {
    let reports = links[link].unsent + links[link].unanswered.map(\.report)
    let running = slots.flatMap { $0.jobs.filter { $0.link == link } }
    let inFlight = (links[link].backlog + running).map(\.token) + reports.map(\.token)
    send(
      .hello(
        Hello(
          worker: id, instance: UInt64(number) + 1, jobType: "work", host: "h", processID: 1,
          concurrency: max(1, able), state: able > 0 ? .serving : .impaired, succeeded: 0, failed: 0, plugin: "",
          pluginFile: "", inFlight: inFlight, isShared: isShared,
          credit: ledger.credit(of: link))),
      to: link)
  }

  private func send(_ message: ToCoordinator, to link: Int) {
    guard let connection = links[link].connection else { return }
    world.send(message, by: connection)
  }
}
