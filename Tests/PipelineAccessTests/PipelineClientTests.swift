import Coordination
import Dispatch
import JobStorage
import Logging
import PipelineAccess
import PipelineModel
import Synchronization
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("The client library against a real coordinator", .timeLimit(.minutes(15)))
struct PipelineClientTests {
  private func coordinator() throws -> PipelineServer {
    var settings = PipelineServerSettings(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    settings.eventsAddress = "tcp://127.0.0.1:*"
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.maximumInstructionsBytes = 10_000
    let server = try PipelineServer(name: "p", phases: ["cut"], storage: MemoryJobStore(), settings: settings)
    server.start()
    return server
  }

  private func connected(_ server: PipelineServer, hwm: Int = 10) throws -> PipelineClient {
    let client = PipelineClient(server.intakeAddress, hwm: hwm)
    try client.connect()
    return client
  }

  @Test func `A job is acknowledged with its id, and a second one of the same id as a duplicate`() throws {
    let server = try coordinator()
    defer { server.stop() }
    let client = try connected(server)
    let (ok, payload) = try client.enqueueJob(pipeline: "p", #"{"a": 1}"#)
    #expect(ok && payload.code == .ok && payload.id?.utf8.count == 15)
    let first = try client.enqueueJob(pipeline: "p", encoding: ["a": 1], id: "mine", priority: 7)
    #expect(first.ok && first.payload.id == "mine")
    let second = try client.enqueueJob(pipeline: "p", "{}", id: "mine")
    #expect(second.ok && second.payload.code == .duplicate && second.payload.message.contains("waiting"))
    let job = try client.request("job", arguments: Array(#"{"id": "mine"}"#.utf8))
    #expect(job.code == .ok && String(decoding: job.payloads[0], as: UTF8.self) == #"{"a":1}"#)
  }

  @Test func `What no coordinator would take is refused, and the others of the batch are stored`() throws {
    let server = try coordinator()
    defer { server.stop() }
    let client = try connected(server)
    let large = #"{"a": "\#(String(repeating: "x", count: 20_000))"}"#
    let texts = ["{}", "[]", large, #"{"b": 2}"#]
    let answers = try client.enqueue(pipeline: "p", jobs: texts.map { .init(instructions: Array($0.utf8)) })
    #expect(answers.map(\.code) == [.ok, .invalid, .invalid, .ok])
    #expect(answers[1].message.contains("JSON object") && answers[2].message.contains("larger than the limit"))
    #expect(try client.enqueueJob(pipeline: "other", "{}").payload.code == .invalid)
    #expect(try client.enqueueJob(pipeline: "p", "{}", id: "a b").payload.code == .invalid)
    #expect(try client.enqueueJob(pipeline: "p", "{}", priority: 8).payload.code == .invalid)
  }

  @Test func `Ten thousand jobs go in by a window of requests, in order`() throws {
    let server = try coordinator()
    defer { server.stop() }
    let client = try connected(server, hwm: 3)
    let jobs = (0..<10_000).map { PipelineClient.Job(id: "j\($0)", instructions: Array("{}".utf8)) }
    let answers = try client.enqueue(pipeline: "p", jobs: jobs)
    #expect(answers.map(\.id) == jobs.map(\.id) && answers.allSatisfy { $0.code == .ok })
    let status = try client.request("status")
    #expect(String(decoding: status.body, as: UTF8.self).contains(#""waiting":10000"#))
  }

  @Test func `Many threads share one client`() throws {
    let server = try coordinator()
    defer { server.stop() }
    let client = try connected(server, hwm: 64)
    let ids = Mutex<Set<String>>([])
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<50 {
        guard let answer = try? client.enqueueJob(pipeline: "p", "{}"), let id = answer.payload.id else { continue }
        _ = ids.withLock { $0.insert(id) }
      }
    }
    #expect(ids.withLock(\.count) == 400)
  }

  @Test func `A full window is busy, and unanswered requests time out`() throws {
    let context = try SocketContext()
    let silent = try Socket(.router, in: context)
    let address = try silent.bind("tcp://127.0.0.1:*")
    let client = PipelineClient(address, hwm: 1, timeoutMilliseconds: 1_500)
    let router = Handed(socket: silent)
    let arrived = DispatchSemaphore(value: 0)
    // Answers the ping of `connect`, takes the next message, and never answers it.
    let answering = DispatchQueue(label: "answer")
    answering.async {
      let poller = Poller()
      poller.add(router.socket)
      poller.wait(timeoutMilliseconds: 10_000)
      if let frames = router.socket.receive(), let request = try? Request(decoding: frames[1]) {
        _ = router.socket.send([frames[0], Reply(request: request.request, code: .ok).encoded(), Array("{}".utf8)])
      }
      poller.wait(timeoutMilliseconds: 10_000)
      arrived.signal()
    }
    try client.connect()
    let over = DispatchSemaphore(value: 0)
    let kinds = Mutex<[PipelineClientError.Kind]>([])
    DispatchQueue.global().async {
      do throws(PipelineClientError) {
        _ = try client.enqueueJob(pipeline: "p", "{}", id: "lost")
      } catch {
        kinds.withLock { $0.append(error.kind) }
      }
      over.signal()
    }
    arrived.wait()
    let answer = try client.enqueueJob(pipeline: "p", "{}")
    #expect(!answer.ok && answer.payload.code == .busy && answer.payload.message == "busy, try again later")
    over.wait()
    #expect(kinds.withLock { $0 } == [.timedOut])
    answering.sync { withExtendedLifetime(router) {} }
  }

  @Test func `Nobody there, and addresses that are none`() throws {
    let client = PipelineClient("ipc:///tmp/carbontube-nobody", timeoutMilliseconds: 200)
    let error = try #require(#expect(throws: PipelineClientError.self) { try client.connect() })
    #expect(
      error.kind == .unreachable && error.message.contains("no coordinator answers at ipc:///tmp/carbontube-nobody"))
    let wrong = try #require(
      #expect(throws: PipelineClientError.self) { try PipelineClient("localhost").connect() })
    #expect(wrong.kind == .address)
    let closed = try #require(
      #expect(throws: PipelineClientError.self) { _ = try client.enqueueJob(pipeline: "p", "{}") })
    #expect(closed.kind == .closed)
  }
}

/// Handed to one queue and used there alone.
private struct Handed: @unchecked Sendable {
  let socket: Socket
}
