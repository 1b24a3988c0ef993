import JobStorage
import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite struct JobJournalTests {
  private let start = Instant(milliseconds: 0)
  private let wall = Timestamp(milliseconds: 1_800_000_000_000)
  private var journal = JobJournal()

  private func failed(
    _ name: String, outcome: AttemptOutcome = .failed, isDead: Bool = false
  ) throws -> JobJournal.FailedAttempt {
    JobJournal.FailedAttempt(
      job: try #require(JobID(name)), phase: "cut", number: 2, worker: try #require(WorkerID("w")), build: "",
      outcome: outcome, reason: "no knife", isDead: isDead)
  }

  @Test mutating func eachFailureIsKeptAndTheFirstOfASecondAreSaid() throws {
    var said = 0
    for number in 0..<50 where journal.note(try failed("j\(number)"), now: wall, instant: start) { said += 1 }
    let suppressed = journal.takeSuppressed()
    let again = journal.takeSuppressed()
    let nextSecond = journal.note(try failed("late"), now: wall, instant: start + 1_000)
    #expect(said == 20 && suppressed == (30, 0) && again == (0, 0) && nextSecond)
    let page = journal.page(after: nil, EventJournal.Filter(), limit: 100)
    #expect(page.entries.count == 51 && page.entries.allSatisfy { $0.phase == "cut" && $0.attempt == 2 })
  }

  @Test mutating func aWishIsNoFailureAndADeadJobAWarning() throws {
    let wished = journal.note(try failed("a", outcome: .retryRequested), now: wall, instant: start)
    let died = journal.note(try failed("b", outcome: .crashed, isDead: true), now: wall, instant: start)
    #expect(!wished && died)
    let entries = journal.page(after: nil, EventJournal.Filter(), limit: 10).entries
    #expect(entries.map(\.level) == [.info, .warning])
    #expect(
      entries.map(\.text) == ["job a asks to be tried again at cut: no knife", "job b is dead at cut: no knife"])
  }

  @Test mutating func progressEndsWithItsAttempt() throws {
    let job = try #require(JobID("a"))
    journal.noteProgress((0.5, "half"), of: job)
    let during = journal.progress(of: job)?.fraction
    journal.endAttempt(of: job)
    #expect(during == 0.5 && journal.progress(of: job) == nil)
  }
}

@Suite struct FinishedJobFeedTests {
  private var feed = FinishedJobFeed()

  private func ids(_ range: Range<Int>) -> [JobID] { range.compactMap { JobID("j\($0)") } }

  @Test mutating func oneReadingAtATimeInTheOrderInWhichTheyEnded() {
    feed.add(ids(0..<40))
    let first = feed.beginReading()
    let meanwhile = feed.beginReading()
    let isDone = feed.isDone
    feed.endReading()
    let second = feed.beginReading()
    feed.endReading()
    #expect(first == ids(0..<32) && meanwhile == nil && !isDone && second == ids(32..<40) && feed.isDone)
  }

  @Test mutating func theOldestAreDroppedAndCounted() {
    feed.add(ids(0..<FinishedJobFeed.maximumWaiting))
    feed.add(ids(0..<5))
    let dropped = feed.takeDropped()
    let next = feed.beginReading()?.first
    #expect(dropped == 5 && feed.takeDropped() == 0 && next == JobID("j5"))
  }
}

@Suite struct DeadJobWarningTests {
  private let start = Instant(milliseconds: 0)
  private var warning = DeadJobWarning()

  private func counts(dead: Int, bytes: Int = 0) -> StoreCounts {
    var counts = StoreCounts(phases: [PhaseCounts()])
    counts.phases[0].dead = dead
    counts.deadBytes = bytes
    return counts
  }

  @Test mutating func manyAreSaidOnceAnHour() {
    let few = warning.due(on: counts(dead: DeadJobWarning.maximumJobs), now: start)
    let many = warning.due(on: counts(dead: DeadJobWarning.maximumJobs + 1), now: start)
    let soon = warning.due(on: counts(dead: DeadJobWarning.maximumJobs + 2), now: start + 3_599_999)
    let later = warning.due(on: counts(dead: 1, bytes: DeadJobWarning.maximumBytes + 1), now: start + 3_600_000)
    #expect(few == nil && many != nil && soon == nil && later != nil)
  }
}
