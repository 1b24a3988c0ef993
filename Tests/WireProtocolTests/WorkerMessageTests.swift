import PipelineModel
import Testing
import WireProtocol

@Suite("What a worker and a coordinator say to each other comes back as it was")
struct WorkerMessageTests {
  private func announcement(reason: String) throws -> Announcement {
    Announcement(
      worker: try #require(WorkerID("w")), pullAddress: "tcp://127.0.0.1:1", jobType: "a", host: "h", processID: 1,
      concurrency: 2, state: .starting, succeeded: 3, failed: 4, plugin: "0123456789ab", pluginFile: "libA.so",
      inFlight: [LeaseToken(5)], reason: reason)
  }

  @Test func `An announcement carries its reason, cut to its bound`() throws {
    for reason in ["", "no model"] {
      #expect(try Announcement(decoding: try announcement(reason: reason).encoded()).reason == reason)
    }
    let long = try Announcement(decoding: try announcement(reason: String(repeating: "ü", count: 9_999)).encoded())
    #expect(long.reason.utf8.count == Announcement.maximumReasonBytes)
  }

  @Test func `A job order tells of a job that was lost before`() throws {
    let jobs = try [true, false].map { isSuspect in
      JobOrder(
        job: try #require(JobID("j")), token: LeaseToken(1), attempt: 2, timeoutMilliseconds: 3, isSuspect: isSuspect)
    }
    let orders = JobOrders(worker: try #require(WorkerID("w")), pipeline: "p", jobs: jobs)
    #expect(try JobOrders(decoding: orders.encoded()) == orders)
    var odd = orders.encoded()
    odd[odd.count - 1] = 2
    #expect(throws: WireError.self) { try JobOrders(decoding: odd) }
  }

  @Test func `The question whether jobs begin, and its answer`() throws {
    let report = BeganReport(worker: try #require(WorkerID("w")), tokens: [LeaseToken(7), LeaseToken(.max)])
    #expect(try Prologue.kind(of: report.encoded()).rawValue == 33)
    #expect(try BeganReport(decoding: report.encoded()) == report)
    let answer = BeginAnswer(tokens: report.tokens)
    #expect(try Prologue.kind(of: answer.encoded()).rawValue == 49)
    #expect(try BeginAnswer(decoding: answer.encoded()) == answer)
    #expect(throws: WireError.self) { try BeginAnswer(decoding: answer.encoded() + [0]) }
  }
}
