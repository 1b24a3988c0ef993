import Coordination
import Dispatch
import Glibc
import JobStorage
import Logging
import PhaseServing
import PipelineModel
import PluginTestKit
import Synchronization
import WireProtocol
import ZeroMQTransport

/// A coordinator and its workers in this process, on free ports, with a plugin that does what it is told.
final class Cluster: Sendable {
  let server: PipelineServer
  let finished = FinishedJobs()
  private let workers = Mutex<[PhaseServer]>([])
  private let folderServers = Mutex<[PluginFolderServer]>([])

  init(
    phases: [PhaseDefinition], workersPerPhase: Int = 1, concurrency: Int = 1,
    maximumInstructionsBytes: Int = 1 << 20, storage: sending any JobStore = MemoryJobStore(),
    configure: (inout PipelineServerSettings) -> Void = { _ in }
  ) throws {
    var settings = PipelineServerSettings(logger: silentLogger)
    settings.eventsAddress = "tcp://127.0.0.1:*"
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.maximumInstructionsBytes = maximumInstructionsBytes
    settings.hooks.jobFinished = { [finished] job in finished.add(job) }
    configure(&settings)
    server = try PipelineServer(
      pipeline: PipelineDefinition(name: "test", phases: phases), storage: storage, settings: settings)
    server.start()
    for jobType in Set(phases.map(\.jobType)) {
      for _ in 0..<workersPerPhase { try addWorker(jobType, concurrency: concurrency) }
    }
  }

  @discardableResult
  func addWorker(
    _ jobType: String, library: String = "\(buildFolder)/libFixturePlugin.so", concurrency: Int = 1,
    openFiles: UInt? = nil, quarantineAfter: Int? = nil, stateFolder: String? = nil
  ) throws -> PhaseServer {
    var settings = PhaseServerSettings(library: library, jobType: jobType, logger: silentLogger)
    settings.limits.openFiles = openFiles
    settings.meetingAddresses = [server.eventsAddress]
    settings.concurrency = concurrency
    settings.quarantineAfter = quarantineAfter
    if let stateFolder { settings.stateFolder = stateFolder }
    let worker = try PhaseServer(settings)
    worker.start()
    workers.withLock { $0.append(worker) }
    return worker
  }

  /// Workers for all plugins in a folder.
  /// - Parameters:
  ///   - id: what their ids begin with.
  ///   - others: where they meet other coordinators as well.
  @discardableResult
  func serve(
    folder: String, stateFolder: String, logger: Logger, id: String? = nil, besides others: [String] = []
  ) throws -> PluginFolderServer {
    var settings = PhaseServerSettings(library: "", jobType: "", logger: logger)
    settings.meetingAddresses = [server.eventsAddress] + others
    settings.workerID = id.flatMap(WorkerID.init)
    settings.stateFolder = stateFolder
    let server = try PluginFolderServer(folders: [folder], jobTypes: nil, settings: settings)
    server.start()
    folderServers.withLock { $0.append(server) }
    return server
  }

  func stop() {
    for server in folderServers.withLock({ $0 }) {
      server.stop()
      server.waitUntilStopped()
    }
    for worker in workers.withLock({ $0 }) {
      worker.stop()
      worker.waitUntilStopped()
    }
    server.stop()
  }
}

/// Jobs as the coordinator's hook tells of them.
final class FinishedJobs: Sendable {
  private let jobs = Mutex<[PipelineHooks.FinishedJob]>([])
  private let arrival = DispatchSemaphore(value: 0)

  func add(_ job: PipelineHooks.FinishedJob) {
    jobs.withLock { $0.append(job) }
    arrival.signal()
  }

  var count: Int { jobs.withLock { $0.count } }

  /// The first `count` jobs that finished; throws where they do not within the tests' patience.
  func wait(for count: Int) throws -> [PipelineHooks.FinishedJob] {
    let seconds = Int(patience.components.seconds)
    while true {
      let seen = jobs.withLock { $0 }
      if seen.count >= count { return seen }
      guard arrival.wait(timeout: .now() + .seconds(seconds)) == .success else {
        throw Unexpected("only \(seen.count) of \(count) jobs finished")
      }
    }
  }
}

/// A client as small as the wire protocol allows.
final class RawClient {
  private let context: SocketContext
  private let socket: Socket
  private var requests: UInt64 = 0

  init(_ server: PipelineServer) throws {
    context = try SocketContext()
    socket = try Socket(.dealer, in: context)
    try socket.connect(server.intakeAddress)
  }

  func send(_ frames: [[UInt8]]) throws {
    guard socket.send(frames) else { throw Unexpected("the socket takes nothing") }
  }

  func receive() throws -> [[UInt8]] {
    let poller = Poller()
    poller.add(socket)
    poller.wait(timeoutMilliseconds: Int(patience.components.seconds) * 1_000)
    guard let frames = socket.receive() else { throw Unexpected("no answer") }
    return frames
  }

  func enqueue(_ instructions: [String], pipeline: String = "test") throws -> [EnqueueReply.Job] {
    try enqueue(instructions.map { Array($0.utf8) }, pipeline: pipeline)
  }

  func enqueue(_ payloads: [[UInt8]], pipeline: String = "test", id: JobID? = nil) throws -> [EnqueueReply.Job] {
    requests += 1
    let jobs = payloads.map { _ in EnqueueRequest.Job(id: id) }
    try send([EnqueueRequest(request: requests, pipeline: pipeline, jobs: jobs).encoded()] + payloads)
    return try EnqueueReply(decoding: try receive().first ?? []).jobs
  }

  /// - Parameter instructions: frames behind the arguments.
  func request(
    _ verb: String, _ arguments: String = "{}", instructions: [[UInt8]] = []
  ) throws -> (reply: Reply, json: String) {
    requests += 1
    let header = Request(request: requests, pipeline: "test", verb: verb).encoded()
    try send([header, Array(arguments.utf8)] + instructions)
    let frames = try receive()
    return try Self.reply(in: frames)
  }

  static func reply(in frames: [[UInt8]]) throws -> (reply: Reply, json: String) {
    let json = try CompressedJSON.json(in: frames.count > 1 ? frames[1] : [])
    return (try Reply(decoding: frames[0]), String(decoding: json, as: UTF8.self))
  }
}

let silentLogger: Logger = {
  var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
  logger.logLevel = .critical
  return logger
}()
