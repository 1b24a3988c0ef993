import PipelineModel
import PluginTestKit
import Testing
import WireProtocol

@Suite("A worker with more slots than a message takes jobs", .timeLimit(.minutes(15)))
struct ManySlotsTests {
  @Test func `Gets all it has room for, in messages it can read`() throws {
    let slots = JobOrders.maximumJobs + 200
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    for _ in 0..<2 {
      let replies = try client.enqueue(Array(repeating: "{}", count: slots / 2))
      #expect(replies.allSatisfy { $0.code == .ok })
    }
    let worker = try RawWorker("in-name", at: cluster.server)
    var jobs: Set<JobID> = []
    while jobs.count < slots { jobs.formUnion(try worker.jobs(concurrency: slots).orders.map(\.job)) }
    #expect(jobs.count == slots)
  }
}
