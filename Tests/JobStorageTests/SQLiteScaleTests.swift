import JobStorage
import JobStorageSQLite
import PipelineModel
import Testing

@testable import JobStorageSQLite

/// With more jobs than one page looks at.
@Suite struct SQLiteScaleTests {
  @Test func aRareStateIsFoundInOnePageAmongMany() throws {
    let (file, store) = try crowded()
    _ = try store.cancel(.named("job-3"), now: file.now)
    try store.enqueue(["late"], now: file.now)
    let claimed = try store.claim(limit: 2, now: file.now)
    for (states, ids) in [([JobState.cancelled], ["job-3"]), ([.running, .cancelled], ["job-3", "job-1", "job-0"])] {
      let page = try store.jobs(matching: JobFilter(states: Set(states)), after: nil, limit: 10)
      #expect(page.jobs.map(\.id.text) == ids && page.next == nil)
    }
    let page = try store.jobs(matching: JobFilter(idPrefix: "job-3"), after: nil, limit: 2)
    #expect(page.jobs.count == 2 && page.next != nil)
    #expect(try store.jobs(matching: JobFilter(idPrefix: "late"), after: nil, limit: 2).jobs.count == 1)
    #expect(try store.allJobs(JobFilter(states: [.waiting])).count == Self.count - 2)
    #expect(claimed.count == 2)
  }

  @Test func aPageThatFindsNothingEndsSoonAndGoesOn() throws {
    let (_, store) = try crowded()
    let filter = JobFilter(states: [.waiting, .dead], errorContains: "nothing")
    let page = try store.jobs(matching: filter, after: nil, limit: 10)
    #expect(page.jobs.isEmpty && page.next != nil)
    #expect(try store.allJobs(filter).isEmpty)
  }

  @Test func manyFinishedJobsAreReadAndPrunedInOrder() throws {
    let (file, store) = try crowded()
    let claimed = try store.claim(limit: Self.count, now: file.now)
    var turn = StoreTurn(now: file.now)
    turn.settlements = claimed.reversed().map { job in
      job.succeeded(
        AttemptRecord(
          phase: 0, number: 1, worker: .named("w"), plugin: "", startedAt: file.now, endedAt: file.now,
          outcome: .succeeded))
    }
    _ = try store.apply(turn)
    let ids = (0..<Self.count).map { "job-\($0)" }
    #expect(try store.allJobs(JobFilter(states: [.succeeded])).map(\.id.text) == ids.reversed())
    let policy = RetentionPolicy(maximumFinished: 1_000)
    #expect(try store.prune(policy, metricsBefore: 0, limit: 700, now: file.now) == 700)
    #expect(try store.prune(policy, metricsBefore: 0, limit: 100_000, now: file.now) == Self.count - 1_700)
    #expect(try store.allJobs().map(\.id.text) == ids.prefix(1_000).reversed())
  }

  @Test func absurdClocksDoNoHarm() throws {
    let file = try SQLiteFile()
    let store = try file.store()
    let pipeline = try PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")])
    for milliseconds in [Int64.min, -1, 0, .max] {
      let now = Timestamp(milliseconds: milliseconds)
      try store.open(pipeline, owner: "owner", now: now)
      try store.enqueue(["at-\(milliseconds)"], now: now)
      let job = try #require(try store.claim(now: now).first)
      _ = try store.cancel(job.id, now: now)
      #expect(try store.job(job.id)?.enqueuedAt == now)
      _ = try store.prune(RetentionPolicy(), metricsBefore: milliseconds, limit: 10, now: now)
    }
  }

  private static let count = 12_000

  private func crowded() throws -> (SQLiteFile, SQLiteJobStore) {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue((0..<Self.count).map { "job-\($0)" }, now: file.now)
    return (file, store)
  }
}
