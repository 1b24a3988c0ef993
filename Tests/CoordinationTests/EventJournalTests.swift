import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite struct EventJournalTests {
  private func entry(_ number: Int, level: LogLine.Level = .info, phase: String = "a", bytes: Int = 0)
    -> EventJournal.Entry
  {
    EventJournal.Entry(
      at: Timestamp(milliseconds: Int64(number)), level: level,
      text: "\(number)" + String(repeating: "x", count: bytes), job: JobID("job-\(number)"), phase: phase)
  }

  private func journal(_ count: Int, bytes: Int = 0) -> EventJournal {
    var journal = EventJournal()
    for number in 1...count { journal.add(entry(number, bytes: bytes)) }
    return journal
  }

  @Test func `Whoever follows gets each line once, in order`() {
    var journal = journal(5)
    let filter = EventJournal.Filter()
    let last = journal.page(after: nil, filter, limit: 2)
    #expect(last.entries.map(\.text) == ["4", "5"])
    #expect(journal.page(after: last.next, filter, limit: 9).entries.isEmpty)
    journal.add(entry(6))
    journal.add(entry(7))
    let first = journal.page(after: last.next, filter, limit: 1)
    #expect(first.entries.map(\.text) == ["6"])
    let second = journal.page(after: first.next, filter, limit: 1)
    #expect(second.entries.map(\.text) == ["7"] && second.dropped == 0)
  }

  @Test func `Lines are chosen by job, phase and level, and what does not fit is passed over`() {
    var journal = journal(3)
    journal.add(entry(4, level: .warning, phase: "b"))
    #expect(journal.page(after: 0, .init(job: JobID("job-2")), limit: 9).entries.map(\.text) == ["2"])
    #expect(journal.page(after: 0, .init(phase: "b"), limit: 9).entries.map(\.text) == ["4"])
    let warnings = journal.page(after: 0, .init(level: .warning), limit: 9)
    #expect(warnings.entries.map(\.text) == ["4"] && warnings.next == 5)
  }

  @Test func `The oldest are forgotten by bytes, and a gap is told`() {
    let journal = journal(2_000, bytes: 4_000)
    let page = journal.page(after: 1, .init(), limit: 1_000)
    #expect(page.dropped > 900 && page.dropped < 1_100)
    #expect(page.entries.first?.text.hasPrefix("\(page.dropped + 1)x") == true)
  }

  @Test(arguments: [Int.min, -1, 0, 4, 99, Int.max]) func `No number from outside is trusted`(after: Int) {
    #expect(journal(3).page(after: after, .init(), limit: 9).entries.count == (after == 4 ? 0 : 3))
  }

  @Test func `Few failures are all said, of many some, and the rest is counted`() {
    var remarks = FailureRemarks(perSecond: 2)
    let now = Instant(milliseconds: 0)
    var said: [Bool] = []
    for _ in 0..<5 { said.append(remarks.allows(now: now)) }
    said.append(remarks.allows(now: now + 1_000))
    #expect(said == [true, true, false, false, false, true])
    let suppressed = [remarks.takeSuppressed(), remarks.takeSuppressed()]
    #expect(suppressed == [3, 0])
  }
}
