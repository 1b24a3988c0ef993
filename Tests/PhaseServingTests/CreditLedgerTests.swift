import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

@Suite("A worker's slots are lent to its coordinators")
struct CreditLedgerTests {
  private var ledger = CreditLedger()
  private let start = Instant(milliseconds: 1_000)

  private func jobs(_ borrower: Int) -> Int { ledger.credit(of: borrower).jobs }

  /// Those that are there keep to whatever they were told.
  @discardableResult
  private mutating func settle(
    _ slots: Int, _ loads: [Int: CreditLedger.Load] = [:], now: Instant? = nil
  ) -> [Int] {
    let now = now ?? start
    for borrower in ledger.borrowers.sorted() {
      let (waiting, credit) = (ledger.waiting(for: borrower), ledger.credit(of: borrower).number)
      ledger.heard(borrower, waiting: waiting, credit: credit, now: now)
    }
    return ledger.decide(slots: slots, loads: loads, now: now)
  }

  private mutating func arrive(_ borrowers: Int...) { for borrower in borrowers { ledger.arrived(borrower) } }

  private mutating func wait(_ waiting: Int, at borrower: Int, now: Instant? = nil) {
    let credit = ledger.credit(of: borrower).number
    ledger.heard(borrower, waiting: waiting, credit: credit, now: now ?? start)
  }

  // MARK: - One

  @Test mutating func `A single coordinator has all slots, and is told once`() {
    arrive(1)
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [1])
    #expect(ledger.credit(of: 1) == JobCredit(number: 1, jobs: 4, slots: 4))
    #expect(ledger.decide(slots: 4, loads: [:], now: start + 50) == [])
    #expect(settle(4) == [])
  }

  @Test mutating func `Numbers of a coordinator that make no sense neither trap nor lend a slot twice`() {
    arrive(1, 2)
    settle(2)
    settle(2)
    let lent = jobs(1) + jobs(2)
    ledger.heard(1, waiting: .max, credit: .max, now: start)
    let loads = [1: CreditLedger.Load(held: 4_096), 2: CreditLedger.Load(held: 1)]
    #expect(ledger.decide(slots: 2, loads: loads, now: start).allSatisfy { $0 == 1 || $0 == 2 })
    // What was never told is no answer to what was: nothing more is lent on the strength of it.
    #expect(lent == 2 && jobs(1) + jobs(2) <= 2)
    ledger.heard(1, waiting: .min, credit: 0, now: start)
    #expect(ledger.waiting(for: 1) == 0)
  }

  @Test mutating func `One that never came has nothing`() {
    #expect(ledger.credit(of: 7) == JobCredit(number: 0, jobs: 0))
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [])
    ledger.left(7)
    ledger.heard(7, waiting: 3, credit: 9, now: start)
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [])
  }

  @Test mutating func `Short jobs may be there ahead, long ones not, and never more than a hello lists`() {
    arrive(1)
    settle(4, [1: .init(held: 0, depth: 5)])
    #expect(jobs(1) == 20)
    settle(4, [1: .init(held: 4, depth: 1)])
    #expect(jobs(1) == 4)
    #expect(CreditLedger.jobs(slots: 2_048, depth: 64) == 4_096)
    #expect(CreditLedger.jobs(slots: 1, depth: 64) == 64)
    #expect(CreditLedger.jobs(slots: 0, depth: 64) == 0)
  }

  @Test mutating func `Slots that come and go are told`() {
    arrive(1)
    settle(4)
    #expect(settle(2) == [1])
    #expect(jobs(1) == 2)
    #expect(settle(0) == [1])
    #expect(jobs(1) == 0)
    #expect(settle(3) == [1])
    #expect(jobs(1) == 3)
  }

  // MARK: - Two

  @Test mutating func `What one loses is lent to another only once the first keeps to its smaller credit`() {
    arrive(1)
    settle(4)
    wait(100, at: 1)
    arrive(2)
    wait(100, at: 2)
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [1, 2])
    #expect(jobs(1) == 2)
    #expect(jobs(2) == 0)
    // Its former credit is still the one it may go by.
    ledger.heard(1, waiting: 100, credit: 1, now: start)
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [])
    ledger.heard(1, waiting: 100, credit: 2, now: start)
    #expect(ledger.decide(slots: 4, loads: [:], now: start) == [2])
    #expect(jobs(2) == 2)
  }

  @Test mutating func `What still runs keeps its slots from others`() {
    arrive(1)
    settle(4)
    wait(100, at: 1)
    arrive(2)
    wait(100, at: 2)
    settle(4, [1: .init(held: 4)])
    settle(4, [1: .init(held: 4)])
    #expect(jobs(2) == 0)
    settle(4, [1: .init(held: 3)])
    #expect(jobs(2) == 1)
    settle(4, [1: .init(held: 2), 2: .init(held: 1)])
    #expect(jobs(2) == 2)
  }

  @Test mutating func `What is held beyond a depth that has become smaller keeps slots until it is gone`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    settle(4, [1: .init(held: 0, depth: 5)])
    settle(4, [1: .init(held: 10, depth: 5)])
    #expect(jobs(1) == 10)
    #expect(jobs(2) == 2)
    settle(4, [1: .init(held: 10, depth: 1), 2: .init(held: 2)])
    #expect(jobs(1) == 2)
    #expect(jobs(2) == 2)
    ledger.left(2)
    arrive(2)
    wait(100, at: 2)
    settle(4, [1: .init(held: 10, depth: 1)])
    #expect(jobs(2) == 0)
    settle(4, [1: .init(held: 2, depth: 1)])
    #expect(jobs(2) == 2)
  }

  @Test mutating func `A dry coordinator keeps no slot that a hungry one can use`() {
    arrive(1, 2)
    wait(1, at: 1)
    wait(100, at: 2)
    settle(4)
    settle(4)
    wait(0, at: 1, now: start + 50)
    settle(4, now: start + 50)
    #expect(jobs(1) == 1)
    settle(4, now: start + 200)
    settle(4, now: start + 200)
    #expect(jobs(1) == 0)
    #expect(jobs(2) == 4)
  }

  @Test mutating func `Where nobody waits each has a part, so that a job finds a slot at once`() {
    arrive(1, 2, 3)
    settle(6)
    settle(6)
    #expect([jobs(1), jobs(2), jobs(3)] == [2, 2, 2])
  }

  @Test mutating func `Whoever wants little gets that, and the others share the rest`() {
    arrive(1, 2, 3)
    wait(1, at: 1)
    wait(100, at: 2)
    wait(100, at: 3)
    for _ in 0..<3 { settle(12) }
    #expect([jobs(1), jobs(2), jobs(3)] == [2, 5, 5])
  }

  // MARK: - Going round

  @Test mutating func `A slot that is left over goes to whoever had the least, and stays a while`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    for _ in 0..<2 { settle(3) }
    #expect([jobs(1), jobs(2)] == [2, 1])
    ledger.spent(15_000, by: 1)
    #expect(settle(3) == [])
    ledger.spent(6_000, by: 1)
    for _ in 0..<2 { settle(3) }
    #expect([jobs(1), jobs(2)] == [1, 2])
  }

  @Test mutating func `What nobody else had a use for is held against nobody`() {
    arrive(1, 2)
    wait(100, at: 1)
    for _ in 0..<2 { settle(1) }
    ledger.spent(3_600_000_000, by: 1)
    wait(100, at: 2)
    for _ in 0..<2 { settle(1, [1: .init(held: 1)]) }
    ledger.spent(21_000, by: 1)
    for _ in 0..<2 { settle(1) }
    #expect(jobs(2) == 1)
    ledger.spent(42_000, by: 2)
    for _ in 0..<2 { settle(1) }
    #expect(jobs(1) == 1)
  }

  @Test mutating func `Whoever comes late has no more to come than those that are there`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    settle(1)
    for borrower in [1, 2] { ledger.spent(900_000, by: borrower) }
    arrive(3)
    wait(100, at: 3)
    for _ in 0..<2 { settle(1) }
    ledger.spent(30_000, by: 3)
    for _ in 0..<2 { settle(1) }
    #expect(jobs(3) == 0)
  }

  @Test mutating func `The next job is one of whoever uses fewer slots than it was lent, then of whoever had least`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    for _ in 0..<2 { settle(4) }
    ledger.spent(500_000, by: 2)
    let (none, full) = (CreditLedger.Running(), CreditLedger.Running(slots: 2, microseconds: 0))
    #expect(ledger.next(of: []) { _ in none } == nil)
    #expect(ledger.next(of: [2]) { _ in full } == 2)
    #expect(ledger.next(of: [1, 2]) { _ in none } == 1)
    #expect(ledger.next(of: [1, 2]) { $0 == 1 ? full : none } == 2)
    #expect(ledger.next(of: [2, 1]) { _ in full } == 1)
  }

  // MARK: - Leaving

  @Test mutating func `What one that is not heard was lent is lent at once, and what it sent before is handed back`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    for _ in 0..<2 { settle(2) }
    let former = ledger.credit(of: 1).number
    #expect(ledger.counts(former, of: 1))
    ledger.left(1)
    #expect(ledger.decide(slots: 2, loads: [:], now: start) == [2])
    #expect(jobs(2) == 2)
    #expect(!ledger.counts(former, of: 1))
    #expect(ledger.credit(of: 1) == JobCredit(number: former + 1, jobs: 0, slots: 0))
  }

  @Test mutating func `One that comes and goes gets ever higher numbers, and is told again`() {
    arrive(1)
    var latest: UInt64 = 0
    for _ in 0..<50 {
      #expect(ledger.decide(slots: 2, loads: [:], now: start) == [1])
      #expect(ledger.credit(of: 1).number > latest)
      #expect(jobs(1) == 2)
      latest = ledger.credit(of: 1).number
      ledger.left(1)
      ledger.left(1)
      #expect(ledger.decide(slots: 2, loads: [:], now: start) == [])
      arrive(1)
      arrive(1)
    }
  }

  @Test mutating func `Old mail of one that is heard again gives its former credit no new life`() {
    arrive(1, 2)
    for borrower in [1, 2] { wait(100, at: borrower) }
    for _ in 0..<2 { settle(2) }
    let former = ledger.credit(of: 1).number
    ledger.left(1)
    ledger.arrived(1)
    ledger.heard(1, waiting: 100, credit: former, now: start)
    settle(2)
    settle(2)
    #expect(jobs(1) + jobs(2) == 2)
    #expect(!ledger.counts(former, of: 1))
  }

  @Test mutating func `One that is let go of is forgotten`() {
    arrive(1, 2)
    settle(2)
    ledger.forget(1)
    #expect(ledger.borrowers == [2])
    #expect(ledger.credit(of: 1).number == 0)
    for _ in 0..<2 { settle(2) }
    #expect(jobs(2) == 2)
  }
}
