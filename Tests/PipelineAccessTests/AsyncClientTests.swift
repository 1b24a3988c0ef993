import ControlProtocol
import Coordination
import JobStorage
import Logging
import PipelineAccess
import PipelineModel
import Testing
import WireProtocol

/// The forms that tasks use. Each test runs with as many tasks as the pool has no threads for, where that matters.
@Suite("The client library from tasks", .timeLimit(.minutes(15)))
struct AsyncClientTests {
  private func withCoordinator(
    hwm: Int = 10, _ body: (PipelineServer, PipelineClient) async throws -> Void
  ) async throws {
    var settings = PipelineServerSettings(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    settings.eventsAddress = "tcp://127.0.0.1:*"
    settings.intakeAddress = "tcp://127.0.0.1:*"
    let server = try PipelineServer(name: "p", phases: ["cut"], storage: MemoryJobStore(), settings: settings)
    server.start()
    let client = PipelineClient(server.intakeAddress, hwm: hwm, timeoutMilliseconds: 5_000)
    do {
      try await client.connect()
      try await body(server, client)
    } catch {
      await server.stop()
      throw error
    }
    await client.close()
    await server.stop()
  }

  private struct Order: Codable, Sendable {
    var size: Int
  }

  @Test func `Every call has a form for tasks`() async throws {
    try await withCoordinator { _, client in
      let bytes = try await client.enqueueJob(pipeline: "p", Array("{}".utf8), id: "a")
      #expect(bytes.ok && bytes.payload.id == "a")
      #expect(try await client.enqueueJob(pipeline: "p", "{}", id: "a").payload.code == .duplicate)
      #expect(try await client.enqueueJob(pipeline: "p", encoding: Order(size: 3), id: "b").ok)
      let many = try await client.enqueue(
        pipeline: "p", jobs: (0..<5_000).map { .init(id: "n\($0)", instructions: Array("{}".utf8)) })
      #expect(many.map(\.id) == (0..<5_000).map { "n\($0)" } && many.allSatisfy { $0.code == .ok })
      let shown = try await client.ask(Verbs.Job.self, .init(id: "b"))
      #expect(shown.id == "b" && shown.state == "waiting")
    }
  }

  @Test func `The end of a job is a value of one's own type`() async throws {
    try await withCoordinator { _, client in
      _ = try await client.enqueueJob(pipeline: "p", encoding: Order(size: 3), id: "b")
      async let end = client.waitForEnd(of: "b", pipeline: "p")
      #expect(try await client.ask(Verbs.Cancel.self, .init(id: "b")) == .was("waiting"))
      let ended = try await end
      #expect(ended.state == .cancelled)
      #expect(try ended.decoded(as: Order.self).size == 3)
      #expect(throws: DecodingError.self) { _ = try ended.decoded(as: [Int].self) }
    }
  }

  @Test func `What a coordinator refuses is an error that says how`() async throws {
    try await withCoordinator { _, client in
      let missing = await #expect(throws: PipelineClientError.self) {
        _ = try await client.ask(Verbs.Job.self, .init(id: "no"))
      }
      #expect(missing?.kind == .refused && missing?.code == .notFound)
      #expect(missing?.message.hasSuffix("no job 'no'") == true)
      let nothing = await #expect(throws: PipelineClientError.self) {
        _ = try await client.ask(Verbs.Delete.self, JobFilterArguments())
      }
      #expect(nothing?.kind == .refused && nothing?.code == .invalid)
      let elsewhere = await #expect(throws: PipelineClientError.self) {
        _ = try await client.ask(Verbs.Status.self, pipeline: "another")
      }
      #expect(elsewhere?.code == .invalid)
    }
  }

  @Test func `Every verb answers with what its type says`() async throws {
    try await withCoordinator { server, client in
      _ = try await client.enqueueJob(pipeline: "p", "{}", id: "a")
      #expect(try await client.ask(Verbs.Ping.self).pipeline == "p")
      let status = try await client.ask(Verbs.Status.self)
      #expect(status.pipeline == "p" && status.store.state == "open" && status.warnings == [])
      #expect(try await client.ask(Verbs.Totals.self).phases.map(\.enqueued) == [1])
      #expect(try await client.ask(Verbs.Metrics.self, .init(minutes: 5)).minutes == 5)
      #expect(try await client.ask(Verbs.History.self, .init(minutes: 2)).steps.count == 2)
      #expect(try await client.ask(Verbs.Logs.self, .init(limit: 1)).coordinator == status.coordinator)
      #expect(
        try await client.ask(Verbs.Jobs.self, .init(.init(states: ["waiting"]), limit: 1)).jobs.map(\.id) == ["a"])
      #expect(try await client.ask(Verbs.Count.self, .init(idPrefix: "a")) == .counted(1, more: false))
      #expect(try await client.ask(Verbs.States.self, .init(ids: ["a", "b"])).states == ["waiting", nil])
      #expect(try await client.ask(Verbs.Pause.self, .init()).paused)
      #expect(try await !client.ask(Verbs.Resume.self, .init()).paused)
      #expect(try await client.ask(Verbs.Cancel.self, .init(states: ["waiting"])) == .ended(.cancelled, 1))
      #expect(try await client.ask(Verbs.Await.self, .init(id: "a")) == EndDocument(id: "a", state: "cancelled"))
      #expect(try await client.ask(Verbs.Requeue.self, .init(id: "a")) == .ended(.requeued, 1))
      #expect(try await client.ask(Verbs.Delete.self, .init(id: "a")) == .ended(.deleted, 1))
      let actions = try await client.ask(Verbs.Actions.self).actions
      #expect(actions.map(\.verb) == ["count", "cancel"] && actions.allSatisfy { $0.state == "done" })
      let stopped = try await client.ask(Verbs.StopAction.self, .init(id: actions[0].action))
      #expect(stopped == actions[0])
      #expect(try await client.ask(Verbs.Action.self, .init(id: actions[1].action)) == actions[1])
      for refused in [
        await #expect(throws: PipelineClientError.self) {
          _ = try await client.ask(Verbs.Drain.self, .init(worker: "w"))
        },
        await #expect(throws: PipelineClientError.self) {
          _ = try await client.ask(Verbs.Release.self, .init(plugin: "abcdef"))
        },
      ] { #expect(refused?.code == .notFound) }
    }
  }

  @Test func `Nobody who answers, no such job and a time that is over are errors in words`() async throws {
    let nobody = PipelineClient("ipc:///tmp/carbontube-nobody", timeoutMilliseconds: 100)
    let unreachable = await #expect(throws: PipelineClientError.self) { try await nobody.connect() }
    #expect(unreachable?.kind == .unreachable)
    let closed = await #expect(throws: PipelineClientError.self) { _ = try await nobody.request("ping") }
    #expect(closed?.kind == .closed)
    try await withCoordinator { _, client in
      let missing = await #expect(throws: PipelineClientError.self) { _ = try await client.waitForEnd(of: "no") }
      #expect(missing?.kind == .refused)
      _ = try await client.enqueueJob(pipeline: "p", "{}", id: "a")
      let late = await #expect(throws: PipelineClientError.self) {
        _ = try await client.waitForEnd(of: "a", timeoutMilliseconds: 20)
      }
      #expect(late?.kind == .timedOut)
    }
  }

  @Test func `A cancelled task stops waiting, for an end as for room in the window`() async throws {
    try await withCoordinator(hwm: 1) { _, client in
      _ = try await client.enqueueJob(pipeline: "p", "{}", id: "a")
      let waits = Task { try await client.waitForEnd(of: "a") }
      waits.cancel()
      await #expect(throws: CancellationError.self) { _ = try await waits.value }
      // Many wait for the one place; those that are cancelled leave it to the others.
      let tasks = (0..<40).map { number in
        Task {
          try await client.enqueue(pipeline: "p", jobs: [.init(id: "t\(number)", instructions: Array("{}".utf8))])
        }
      }
      for task in tasks.prefix(20) { task.cancel() }
      for task in tasks.dropFirst(20) { #expect(try await task.value[0].code == .ok) }
      for task in tasks.prefix(20) {
        switch await task.result {
        case .success(let answers): #expect(answers[0].ok)
        case .failure(let error): #expect(error is CancellationError)
        }
      }
      // No place was lost on the way.
      #expect(try await client.enqueueJob(pipeline: "p", "{}", id: "last").payload.code == .ok)
    }
  }

  @Test func `A thousand tasks wait at once, and none holds a thread of the pool`() async throws {
    try await withCoordinator(hwm: 2_000) { _, client in
      let ids = (0..<1_000).map { "j\($0)" }
      _ = try await client.enqueue(
        pipeline: "p", jobs: ids.map { .init(id: $0, instructions: Array("{}".utf8)) })
      let states = try await withThrowingTaskGroup(of: JobState.self) { group in
        for id in ids { group.addTask { try await client.waitForEnd(of: id).state } }
        group.addTask {
          for id in ids { _ = try await client.request("cancel", arguments: Array(#"{"id": "\#(id)"}"#.utf8)) }
          return .cancelled
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(states.count == 1_001 && states.allSatisfy { $0 == .cancelled })
    }
  }
}
