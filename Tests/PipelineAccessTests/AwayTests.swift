import Foundation
import Synchronization
import Testing

@testable import PipelineAccess

@Suite("A coordinator that is away, busy or silent", .timeLimit(.minutes(15)))
struct AwayTests {
  @Test func `What could not be sent in time is not delivered later`() throws {
    let first = try FalseCoordinator { _ in (.ok, "{}", []) }
    let client = PipelineClient(first.address, timeoutMilliseconds: 60_000)
    try client.connect()
    let address = first.address
    first.close()
    let hasty = PipelineClient(address, timeoutMilliseconds: 50)
    #expect(throws: PipelineClientError.self) { try hasty.connect() }
    for _ in 0..<3 {
      // A connection that has just broken may have taken the first of them.
      _ = try? ask(client, "cancel", within: 50)
    }
    let error = #expect(throws: PipelineClientError.self) {
      _ = try ask(client, "cancel", within: 50)
    }
    #expect(error?.kind == .unreachable && error?.message.contains("no coordinator answers at \(address)") == true)
    let second = try FalseCoordinator(at: address) { _ in (.ok, "{}", []) }
    #expect(try client.request("status").code == .ok)
    #expect(second.verbs == ["status"])
    second.close()
  }

  @Test func `Only of what changes something it is said that it may be done or not`() throws {
    let silent = try FalseCoordinator { $0 == "ping" ? (.ok, "{}", []) : nil }
    let client = PipelineClient(silent.address, timeoutMilliseconds: 2_000)
    try client.connect()
    for (verb, isInDoubt) in [("status", false), ("jobs", false), ("cancel", true), ("requeue", true)] {
      let error = #expect(throws: PipelineClientError.self) { _ = try ask(client, verb, within: 100) }
      #expect(error?.kind == .timedOut && error?.message.contains("may be done or not") == isInDoubt, "\(verb)")
    }
    silent.close()
  }

  @Test func `A coordinator for which too many wait is asked how the job stands`() throws {
    let looks = Mutex(0)
    let busy = try FalseCoordinator { verb in
      switch verb {
      case "await": return (.busy, "{}", [])
      case "job":
        let count = looks.withLock { looks in
          looks += 1
          return looks
        }
        return (.ok, #"{"id":"a","state":"\#(count < 3 ? "running" : "dead")"}"#, [#"{"n":1e400}"#])
      default: return (.ok, "{}", [])
      }
    }
    let client = PipelineClient(busy.address)
    try client.connect()
    let end = try client.waitForEnd(of: "a")
    #expect(end.state == .dead && String(decoding: end.instructions, as: UTF8.self) == #"{"n":1e400}"#)
    let error = #expect(throws: PipelineClientError.self) {
      looks.withLock { $0 = 0 }
      _ = try client.waitForEnd(of: "a", timeoutMilliseconds: 1)
    }
    #expect(error?.kind == .timedOut)
    busy.close()
  }

  @Test func `Tasks wait without a thread each`() async throws {
    let held = try FalseCoordinator { $0 == "ping" ? (.ok, "{}", []) : nil }
    let client = PipelineClient(held.address, timeoutMilliseconds: 500)
    try await client.connect()
    let before = try threads()
    let failures = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<300 {
        group.addTask {
          do {
            _ = try await client.request("status")
            return false
          } catch {
            return true
          }
        }
      }
      #expect((try? threads()) ?? .max < before + 100)
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(failures == 300)
    held.close()
  }

  private func ask(_ client: PipelineClient, _ verb: String, within milliseconds: Int) throws -> PipelineClient.Answer {
    try client.request(verb, pipeline: "", arguments: Array("{}".utf8), timeoutMilliseconds: milliseconds)
  }

  private func threads() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
  }
}
