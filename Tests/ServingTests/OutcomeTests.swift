import PipelineModel
import Testing

@Suite("Coordinator, worker and PluginHost children over real sockets", .timeLimit(.minutes(15)))
struct OutcomeTests {
  private let puppet = PhaseDefinition(
    jobType: "puppet", retry: RetryPolicy(attempts: 2, crashes: 3, backoffMilliseconds: 1))

  @Test func `Jobs pass through their phases, and results are merged`() throws {
    let cluster = try Cluster(phases: [puppet, puppet, puppet])
    defer { cluster.stop() }
    let replies = try RawClient(cluster.server).enqueue((1...50).map { #"{"do":"echo","n":\#($0)}"# })
    #expect(replies.allSatisfy { $0.code == .ok })
    let jobs = try cluster.finished.wait(for: 50)
    #expect(jobs.allSatisfy { $0.state == .succeeded })
    #expect(Set(jobs.map(\.id)) == Set(replies.compactMap(\.id)))
    for job in jobs {
      let text = String(decoding: job.instructions, as: UTF8.self)
      #expect(text.contains(#""id":"\#(job.id)""#) && text.contains(#""pipeline":"test""#))
    }
  }

  @Test(arguments: [("trap", "SIGILL"), ("abort", "SIGABRT"), ("exit", "Exit")])
  func `A job that kills its host is dead after three crashes, and the worker serves on`(
    how: String, type: String
  ) throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"\#(how)"}"#])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.state == .dead)
    #expect(dead.error?.type == type)
    _ = try client.enqueue([#"{"do":"echo"}"#])
    #expect(try cluster.finished.wait(for: 2).last?.state == .succeeded)
    let record = try client.request("job", #"{"id":"\#(dead.id)"}"#).json
    #expect(record.contains(#""crashes":3"#))
    #expect(record.components(separatedBy: #""outcome":"crashed""#) == 4)
  }

  @Test func `The last words of a crashed child are kept with its job`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    _ = try RawClient(cluster.server).enqueue([#"{"do":"trap"}"#])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.error?.standardErrorTail.contains("asked to trap") == true)
  }

  @Test func `A permanent failure is dead at once, with type, message and where`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"permanent"}"#])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.state == .dead)
    #expect(dead.error?.message == "will never do")
    #expect(dead.error?.location == "Puppet.swift:7")
    #expect(try client.request("job", #"{"id":"\#(dead.id)"}"#).json.contains(#""attempt":1"#))
  }

  @Test func `A failure is tried again by the phase's policy, then dead`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"throw"}"#])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.error?.type.contains("Mishap") == true)
    #expect(try client.request("job", #"{"id":"\#(dead.id)"}"#).json.contains(#""failures":2"#))
  }

  @Test func `An attempt that outlasts its limit is ended and counted as timed out`() throws {
    let limited = PhaseDefinition(
      jobType: "puppet", retry: RetryPolicy(attempts: 1), timeoutMilliseconds: 200)
    let cluster = try Cluster(phases: [limited])
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"wait"}"#])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.error?.type == "Timeout")
    _ = try client.enqueue([#"{"do":"echo"}"#])
    #expect(try cluster.finished.wait(for: 2).last?.state == .succeeded)
  }

  @Test func `Results that are no objects are the phase's failure`() throws {
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "lister")])
    defer { cluster.stop() }
    _ = try RawClient(cluster.server).enqueue([#"{"count":2}"#])
    #expect(try cluster.finished.wait(for: 1).first?.state == .dead)
  }

  @Test func `Jobs wait for a phase nobody serves, and move on when somebody does`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"echo"}"#])
    #expect(try client.request("status").json.contains(#""waiting":1,"workers":0"#))
    try cluster.addWorker("puppet")
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
  }

  @Test func `Work is shared among workers, and a worker that stops gives back what it has`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 2, concurrency: 2)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue(Array(repeating: #"{"do":"echo"}"#, count: 400))
    let leaver = try cluster.addWorker("puppet")
    leaver.stop()
    leaver.waitUntilStopped()
    let jobs = try cluster.finished.wait(for: 400)
    #expect(jobs.count == 400 && jobs.allSatisfy { $0.state == .succeeded })
    #expect(Set(jobs.map(\.id)).count == 400)
  }
}

extension String {
  /// The number of parts between occurrences of `separator`.
  func components(separatedBy separator: String) -> Int {
    var count = 1
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
