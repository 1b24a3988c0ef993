import JobStorage
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol

@Suite("A store that fails loses no acknowledged job", .timeLimit(.minutes(15)))
struct StoreFaultTests {
  private let phases = [PhaseDefinition(jobType: "puppet"), PhaseDefinition(jobType: "puppet")]

  /// Every job is sent until it is acknowledged, as a careful client does; then each must have succeeded, once.
  private func expectAllToSucceed(_ store: sending FaultyJobStore, jobs count: Int = 60) throws {
    let tally = store.tally
    let cluster = try Cluster(phases: phases, workersPerPhase: 2, storage: store)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    var refusals: [EnqueueReply.Job] = []
    for number in 0..<count {
      let id = try #require(JobID("job-\(number)"))
      var isStored = false
      while !isStored {
        let answer = try #require(try client.enqueue([Array(#"{"do":"echo"}"#.utf8)], id: id).first)
        isStored = answer.code == .ok || answer.code == .duplicate
        if !isStored { refusals.append(answer) }
      }
    }
    try awaitSucceeded(count, client)
    for number in 0..<count {
      let job = try client.request("job", #"{"id":"job-\#(number)"}"#)
      #expect(job.json.contains(#""state":"succeeded""#), "\(job.json)")
      #expect(job.json.components(separatedBy: #""outcome":"succeeded""#) == 3, "\(job.json)")
    }
    for refusal in refusals {
      #expect(refusal.code == .unavailable && !refusal.message.isEmpty)
      #expect(!refusal.message.contains("\n"))
    }
    #expect(tally.faults.load(ordering: .relaxed) > 0)
  }

  /// Asks the coordinator rather than its hooks: those are not repeated for an outcome that was written unnoticed.
  private func awaitSucceeded(_ count: Int, _ client: RawClient) throws {
    let deadline = ContinuousClock.now + patience
    var status = ""
    while ContinuousClock.now < deadline {
      status = try client.request("status").json
      if status.contains(#""succeeded":\#(count),"#) { return }
    }
    throw Unexpected("not all jobs succeeded: \(status)")
  }

  @Test func `that refuses every tenth turn`() throws {
    try expectAllToSucceed(FaultyJobStore { $0 % 10 == 0 ? .before : nil })
  }

  @Test func `that writes every seventh turn and then seems to fail`() throws {
    try expectAllToSucceed(FaultyJobStore { $0 % 7 == 0 ? .afterCommit : nil })
  }

  @Test func `that writes every sixth turn and cannot make it stay`() throws {
    try expectAllToSucceed(FaultyJobStore { $0 % 6 == 0 ? .flush : nil })
  }

  @Test func `that refuses writes for a while`() throws {
    try expectAllToSucceed(FaultyJobStore(failingWith: .refusesWrites) { (20..<24).contains($0) ? .before : nil })
  }

  @Test(arguments: [StoreError.Kind.misconfigured, .corrupt, .newerSchema])
  func `that seems to be the wrong one for a while, in the middle of a run`(kind: StoreError.Kind) throws {
    try expectAllToSucceed(FaultyJobStore(failingWith: kind) { (20..<24).contains($0) ? .before : nil })
  }

  @Test func `that answers late`() throws {
    try expectAllToSucceed(FaultyJobStore { $0 % 25 == 0 ? .slow : nil })
  }
}
