import Foundation
import PluginCatalog
import PluginTestKit
import Testing

@Suite struct QuarantineTests {
  @Test func countsJobsNotCrashes() {
    var history = CrashHistory()
    for time in 0..<50 { history.add(job: "a", cause: "SIGILL", now: Int64(time)) }
    #expect(history.jobCount == 1)
    #expect(history.crashes.count == 1)
    history.add(job: "b", cause: "SIGILL", now: 60)
    #expect(history.jobCount == 2)
  }

  @Test func forgetsWhatIsOlderThanTheWindow() {
    var history = CrashHistory()
    history.add(job: "a", cause: "SIGILL", now: 0)
    history.add(job: "b", cause: "SIGILL", now: CrashHistory.windowMilliseconds - 1)
    #expect(history.jobCount == 2)
    history.add(job: "c", cause: "SIGILL", now: CrashHistory.windowMilliseconds)
    #expect(history.jobCount == 2)
  }

  @Test func aNeighbourThatWasStoppedWithTheLockHoldsUpNobody() throws {
    let folder = try TemporaryFolder()
    let quarantine = Quarantine(stateFolder: folder.path + "/state")
    _ = quarantine.recordCrash(of: "abc", "x", file: "libX.so", job: "a", cause: "SIGABRT", limit: 2, now: 1)
    let lock = open(folder.path + "/state/quarantine/lock", O_RDWR | O_CLOEXEC)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX) == 0)
    let record = quarantine.recordCrash(of: "abc", "x", file: "libX.so", job: "b", cause: "SIGABRT", limit: 2, now: 2)
    #expect(record?.since == 2)
  }

  @Test func holdsABuildUntilItIsReleased() throws {
    let folder = try TemporaryFolder()
    let quarantine = Quarantine(stateFolder: folder.path + "/state")
    func crash(_ job: String, at time: Int64, in jobType: String = "x") -> Quarantine.Record? {
      quarantine.recordCrash(of: "abc", jobType, file: "libX.so", job: job, cause: "SIGABRT", limit: 3, now: time)
    }
    #expect(crash("a", at: 1) == nil)
    #expect(crash("b", at: 2) == nil)
    #expect(quarantine.records().isEmpty)
    #expect(crash("c", at: 3)?.since == 3)
    #expect(quarantine.record(of: "abc", "x")?.reason == "crashed on 3 jobs within 10 minutes, last by SIGABRT")
    #expect(quarantine.records().map(\.sha256) == ["abc"])
    #expect(quarantine.record(of: "abc", "y") == nil && crash("d", at: 4, in: "y") == nil)
    #expect(quarantine.release("abc", jobType: "y", now: 5).isEmpty)
    #expect(quarantine.release("abc", now: 5).map(\.history.jobs) == [["a", "b", "c"]])
    #expect(quarantine.release("abc", now: 5).isEmpty)
    #expect(crash("d", at: 6) == nil)
  }

  @Test func aReleasedPhaseDoesNotTripOverTheSameJobsAgain() throws {
    let folder = try TemporaryFolder()
    let quarantine = Quarantine(stateFolder: folder.path + "/state")
    func crash(_ job: String, at time: Int64) -> Quarantine.Record? {
      quarantine.recordCrash(of: "abc", "x", file: "libX.so", job: job, cause: "SIGABRT", limit: 2, now: time)
    }
    _ = crash("a", at: 1)
    #expect(crash("b", at: 2) != nil)
    #expect(quarantine.release("abc", now: 3).count == 1)
    for time in 4..<10 { for job in ["a", "b"] { #expect(crash(job, at: Int64(time)) == nil) } }
    #expect(crash("c", at: 11) == nil)
    #expect(crash("d", at: 12)?.history.jobs == ["c", "d"])
    #expect(quarantine.release("abc", now: 13).count == 1)
    // After a day a pardon has lapsed.
    #expect(crash("c", at: 13 + 24 * 3_600_000) == nil)
    #expect(crash("a", at: 14 + 24 * 3_600_000) != nil)
  }

  @Test func pardonsAreBounded() throws {
    var history = CrashHistory()
    for number in 0..<5_000 {
      history.add(job: "job-\(number)", cause: "SIGILL", now: 0)
      if number % 100 == 99 { history.pardon(now: Int64(number)) }
    }
    let size = try JSONEncoder().encode(history).count
    #expect(size < 64_000)
  }
}
