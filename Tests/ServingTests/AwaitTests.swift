import JobStorage
import PipelineAccess
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol

@Suite("Clients that wait for the end of a job", .timeLimit(.minutes(15)))
struct AwaitTests {
  private let puppet = PhaseDefinition(
    jobType: "puppet", retry: RetryPolicy(attempts: 2, crashes: 3, backoffMilliseconds: 1))

  private func connected(_ cluster: Cluster) throws -> PipelineClient {
    let client = PipelineClient(cluster.server.intakeAddress)
    try client.connect()
    return client
  }

  @Test func `A request sent right behind the job is answered when the job has ended`() throws {
    let cluster = try Cluster(phases: [puppet, puppet, puppet])
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    for number in 1...50 {
      let job = EnqueueRequest.Job(id: JobID("job-\(number)"))
      let request = UInt64(2 * number)
      try client.send([
        EnqueueRequest(request: request, pipeline: "test", jobs: [job]).encoded(), Array(#"{"do":"echo"}"#.utf8),
      ])
      try client.send([
        Request(request: request + 1, pipeline: "test", verb: "await").encoded(),
        Array(#"{"id":"job-\#(number)"}"#.utf8),
      ])
      #expect(try EnqueueReply(decoding: try #require(try client.receive().first)).jobs.first?.code == .ok)
      let frames = try client.receive()
      let reply = try Reply(decoding: frames[0])
      #expect(reply.code == .ok && reply.request == request + 1, "\(reply.message)")
      #expect(String(decoding: frames[1], as: UTF8.self) == #"{"id":"job-\#(number)","state":"succeeded"}"#)
      #expect(String(decoding: frames[2], as: UTF8.self).contains(#""pipeline":"test""#))
    }
  }

  @Test func `Whoever waits hears of the dead as of the others, and of jobs that ended long ago`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let client = try connected(cluster)
    for (id, instructions, state) in [
      ("fine", #"{"do":"echo"}"#, JobState.succeeded), ("never", #"{"do":"permanent"}"#, .dead),
    ] {
      #expect(try client.enqueueJob(pipeline: "test", instructions, id: id).ok)
      for _ in 1...2 {
        let end = try client.waitForEnd(of: id, pipeline: "test")
        #expect(end.id == id && end.state == state)
        #expect(String(decoding: end.instructions, as: UTF8.self).contains(#""do""#))
      }
    }
  }

  @Test func `A job that is cancelled has ended, and one that is not there cannot be waited for`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let client = try connected(cluster)
    #expect(try client.enqueueJob(pipeline: "test", #"{"do":"wait"}"#, id: "long").ok)
    let error = #expect(throws: PipelineClientError.self) {
      try client.waitForEnd(of: "long", timeoutMilliseconds: 300)
    }
    #expect(error?.kind == .timedOut)
    #expect(try client.request("cancel", arguments: Array(#"{"id":"long"}"#.utf8)).code == .ok)
    #expect(try client.waitForEnd(of: "long").state == .cancelled)
    let missing = #expect(throws: PipelineClientError.self) { try client.waitForEnd(of: "nobody") }
    #expect(missing?.kind == .refused && missing?.message.contains("no job 'nobody'") == true)
  }

  @Test func `A coordinator that stops tells those who wait`() throws {
    let cluster = try Cluster(phases: [puppet])
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([Array(#"{"do":"wait"}"#.utf8)], id: JobID("long"))
    try client.send([
      Request(request: 9, pipeline: "test", verb: "await").encoded(), Array(#"{"id":"long"}"#.utf8),
    ])
    // An answer to a later request on the same socket: the one before it has been read.
    _ = try client.request("ping")
    cluster.stop()
    #expect(try Reply(decoding: try #require(try client.receive().first)).code == .stopping)
  }

  @Test func `Clients that have left do not keep others from waiting`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let names = (0..<2_500).map { "job-\($0)" }
    for chunk in [names.prefix(1_000), names.dropFirst(1_000).prefix(1_000), names.dropFirst(2_000)] {
      let jobs = chunk.map { EnqueueRequest.Job(id: JobID($0)) }
      let request = EnqueueRequest(request: 1, pipeline: "test", jobs: jobs).encoded()
      try client.send([request] + chunk.map { _ in Array("{}".utf8) })
      _ = try client.receive()
    }
    var leavers: [RawClient] = []
    for _ in 0..<4 {
      let leaver = try RawClient(cluster.server)
      for name in names { try leaver.send(awaiting(name)) }
      _ = try leaver.request("ping")
      leavers.append(leaver)
    }
    // All places are taken, and there are places again once the others have left.
    try client.send(awaiting("job-0"))
    #expect(try Reply(decoding: try #require(try client.receive().first)).code == .busy)
    leavers.removeAll()
    let deadline = ContinuousClock.now + patience
    var cancelled = ReplyCode.busy
    while ContinuousClock.now < deadline, cancelled == .busy {
      try client.send(awaiting("job-0"))
      // Answered at once where it is refused; else only what was asked after it is.
      try client.send([
        Request(request: 2, pipeline: "test", verb: "cancel").encoded(), Array(#"{"id":"job-0"}"#.utf8),
      ])
      for _ in 0..<2 {
        let reply = try Reply(decoding: try #require(try client.receive().first))
        if reply.request == 1 { cancelled = reply.code }
      }
    }
    #expect(cancelled == .ok)
  }

  private func awaiting(_ job: String) -> [[UInt8]] {
    [Request(request: 1, pipeline: "test", verb: "await").encoded(), Array(#"{"id":"\#(job)"}"#.utf8)]
  }
}
