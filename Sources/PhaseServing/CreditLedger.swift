internal import PipelineModel
internal import WireProtocol

/// How a worker lends its slots to its coordinators. A pure value: what happens goes in, the credits to tell come out.
///
/// A slot is never lent twice: what one coordinator loses is lent to another only once the first has said that it keeps to
/// its smaller credit, and what it had sent before has ended or was handed back. So there are never more jobs at a worker
/// than its slots, with what is fetched ahead for each, whatever is delayed, repeated or lost on the way.
///
/// Slots go to those for whom jobs wait, in equal parts; one that is left over goes to whoever had the least time of slots,
/// so that with fewer slots than coordinators it goes round. docs/architecture.md, "Credits".
struct CreditLedger {
  /// A coordinator, by the number of its link.
  typealias Borrower = Int

  struct Load: Equatable {
    /// Jobs of the coordinator that have not ended.
    var held = 0
    /// Jobs per slot that it is worth to have here.
    var depth = 1

    /// Slots that they keep from others.
    var slots: Int { (held + depth - 1) / depth }
  }

  private struct Account {
    /// As told last.
    var slots = 0
    var credit = JobCredit(number: 0, jobs: 0)
    /// What may still count at the coordinator: the latest credit that it keeps to, and those told since.
    var open: [(number: UInt64, slots: Int)] = []
    /// What comes under an older credit is handed back.
    var validFrom: UInt64 = 0
    var isThere = false
    var waiting = 0
    /// Something waited until then; a queue that runs dry for a moment gives no slots away.
    var hungryUntil = Instant(milliseconds: 0)
    /// Time of slots that its jobs took while others would have had a use for it, in microseconds.
    var used = 0.0
    /// It has fewer slots than it could use.
    var isShort = false

    var lent: Int { open.lazy.map(\.slots).max() ?? 0 }
  }

  /// Work that stops coming for less than this does not count as having ended, in milliseconds.
  private static let hungerLasts: Int64 = 70
  /// A slot that goes round stays for this much time of slots, in microseconds.
  private static let quantum = 20_000.0

  private var accounts: [Borrower: Account] = [:]

  /// Those that may be lent something.
  var borrowers: [Borrower] { accounts.keys.filter { accounts[$0]?.isThere == true } }

  func credit(of borrower: Borrower) -> JobCredit { accounts[borrower]?.credit ?? JobCredit(number: 0, jobs: 0) }

  func waiting(for borrower: Borrower) -> Int { accounts[borrower]?.waiting ?? 0 }

  /// Jobs that come under an older credit were sent before a coordinator that hung learned that it has none.
  func counts(_ credit: UInt64, of borrower: Borrower) -> Bool { credit >= accounts[borrower]?.validFrom ?? 0 }

  /// The coordinator has welcomed the worker, or is heard again.
  mutating func arrived(_ borrower: Borrower) {
    guard accounts[borrower]?.isThere != true else { return }
    let least = leastUsed
    accounts[borrower, default: Account()].isThere = true
    accounts[borrower]?.used = least
  }

  /// It is not connected, or is not heard: what it was lent is lent to others at once.
  mutating func left(_ borrower: Borrower) {
    guard var account = accounts[borrower], account.isThere else { return }
    account.isThere = false
    account.slots = 0
    account.open = []
    account.waiting = 0
    account.credit = JobCredit(number: account.credit.number + 1, jobs: 0, slots: 0)
    account.validFrom = account.credit.number
    accounts[borrower] = account
  }

  mutating func forget(_ borrower: Borrower) { accounts[borrower] = nil }

  /// What a coordinator says of itself.
  /// - Parameter credit: the number of the credit that it keeps to from now on.
  mutating func heard(_ borrower: Borrower, waiting: Int, credit: UInt64, now: Instant) {
    guard var account = accounts[borrower], account.isThere else { return }
    // More than a worker may hold makes no difference, and a sum of it must not overflow.
    account.waiting = min(max(0, waiting), Hello.maximumInFlight)
    if waiting > 0 { account.hungryUntil = now + Self.hungerLasts }
    // One that was never told cannot count: the latest one still does.
    account.open.removeAll { $0.number < min(credit, account.credit.number) }
    accounts[borrower] = account
  }

  /// Time of slots that a job took, in microseconds. What nobody else had a use for is held against nobody: one that was
  /// alone for an hour would wait for another hour when the next one comes.
  mutating func spent(_ microseconds: Double, by borrower: Borrower) {
    guard accounts.contains(where: { $0.key != borrower && $0.value.isShort }) else { return }
    accounts[borrower]?.used += microseconds
  }

  /// What runs for a coordinator.
  struct Running {
    var slots = 0
    /// What it will take in all.
    var microseconds = 0.0
  }

  /// The one to be served next: one whose jobs run in fewer slots than it was lent before others, whatever fills what is
  /// here ahead of time; then the one that had the least.
  func next(of borrowers: [Borrower], running: (Borrower) -> Running) -> Borrower? {
    guard borrowers.count > 1 else { return borrowers.first }
    let claims = borrowers.map { borrower in
      let (account, running) = (accounts[borrower], running(borrower))
      let isFull = running.slots >= account?.slots ?? 0
      return (borrower: borrower, isFull: isFull, used: (account?.used ?? 0) + running.microseconds)
    }
    return claims.min { $0.isFull != $1.isFull ? $1.isFull : $0.used < $1.used }?.borrower
  }

  /// Credits that change.
  /// - Parameters:
  ///   - slots: that can run jobs now.
  ///   - loads: of each coordinator.
  mutating func decide(slots: Int, loads: [Borrower: Load], now: Instant) -> [Borrower] {
    for borrower in accounts.keys where (accounts[borrower]?.waiting ?? 0) > 0 {
      accounts[borrower]?.hungryUntil = now + Self.hungerLasts
    }
    let wants = wants(loads: loads, now: now)
    let targets = targets(slots: slots, wants: wants)
    note(wants, targets)
    var changed: [Borrower] = []
    var free = slots - accounts.reduce(0) { $0 + max($1.value.lent, loads[$1.key]?.slots ?? 0) }
    // What is taken back first, so that all of a decision is told in one go.
    for (borrower, target) in targets.sorted(by: { $0.key < $1.key }) {
      guard let account = accounts[borrower] else { continue }
      let load = loads[borrower] ?? Load()
      let had = max(account.lent, load.slots)
      let more = min(max(0, target - had), max(0, free))
      free -= more
      if tell(borrower, slots: min(target, had + more), depth: load.depth) { changed.append(borrower) }
    }
    return changed
  }

  /// - Returns: whether this is anything new.
  private mutating func tell(_ borrower: Borrower, slots: Int, depth: Int) -> Bool {
    guard var account = accounts[borrower] else { return false }
    let jobs = Self.jobs(slots: slots, depth: depth)
    guard account.credit.jobs != jobs || account.slots != slots || account.open.isEmpty else { return false }
    account.slots = slots
    account.credit = JobCredit(number: account.credit.number + 1, jobs: jobs, slots: slots)
    account.open.append((account.credit.number, slots))
    accounts[borrower] = account
    return true
  }

  /// Bounded, since a worker lists what it holds in every hello.
  static func jobs(slots: Int, depth: Int) -> Int {
    min(slots * depth, max(slots * min(depth, 2), Hello.maximumInFlight / 2))
  }
}

// MARK: - Who is to have how many

extension CreditLedger {
  private var leastUsed: Double { accounts.values.lazy.filter(\.isThere).map(\.used).min() ?? 0 }

  /// Slots that those with work have a use for. A queue may be longer than what was said of it.
  private func wants(loads: [Borrower: Load], now: Instant) -> [Borrower: Int] {
    var wants: [Borrower: Int] = [:]
    for (borrower, account) in accounts where account.isThere && now < account.hungryUntil {
      wants[borrower] = account.waiting + max(1, loads[borrower]?.held ?? 0)
    }
    return wants
  }

  /// Slots for each that is there, all slots together.
  private func targets(slots: Int, wants: [Borrower: Int]) -> [Borrower: Int] {
    let there = accounts.filter(\.value.isThere)
    guard there.count > 1 else { return there.mapValues { _ in slots } }
    var targets = there.mapValues { _ in 0 }
    var left = slots
    share(&left, among: there.filter { wants[$0.key] != nil }, &targets) { wants[$0] ?? 0 }
    // Nobody waits for what is left: it is where the next job may come.
    share(&left, among: there, &targets) { _ in .max }
    return targets
  }

  /// Whoever has all that it can use saves nothing up for later.
  private mutating func note(_ wants: [Borrower: Int], _ targets: [Borrower: Int]) {
    for borrower in accounts.keys {
      accounts[borrower]?.isShort = wants[borrower].map { $0 > targets[borrower] ?? 0 } ?? false
    }
    guard let level = accounts.values.lazy.filter(\.isShort).map(\.used).min() else { return }
    for (borrower, account) in accounts where account.isThere && !account.isShort && account.used < level {
      accounts[borrower]?.used = level
    }
  }

  /// Equal parts, of which nobody gets more than it can use; then one each in the order of who had the least.
  private func share(
    _ left: inout Int, among sharers: [Borrower: Account], _ targets: inout [Borrower: Int],
    want: (Borrower) -> Int
  ) {
    guard !sharers.isEmpty else { return }
    let evenPart = left / sharers.count
    let order = sharers.sorted { one, other in
      let (first, second) = (claim(of: one.value, evenPart), claim(of: other.value, evenPart))
      return first != second ? first < second : one.key < other.key
    }.map(\.key)
    while left > 0 {
      let unserved = order.filter { (targets[$0] ?? 0) < want($0) }
      guard let least = unserved.compactMap({ targets[$0] }).min() else { return }
      for borrower in unserved where targets[borrower] == least && left > 0 {
        targets[borrower] = least + 1
        left -= 1
      }
    }
  }

  /// Less is served first. Whoever has one of those that go round keeps it for a while.
  private func claim(of account: Account, _ evenPart: Int) -> Double {
    account.used - (account.slots > evenPart ? Self.quantum : 0)
  }
}
