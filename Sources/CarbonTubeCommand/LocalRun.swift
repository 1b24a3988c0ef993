internal import CarbonTube
internal import Dispatch
internal import Glibc
internal import HostSupervision
internal import Logging
internal import Synchronization

/// A coordinator and a worker for each phase in this process, on sockets in a temporary folder, for the jobs of one
/// command.
final class LocalRun: Sendable {
  struct End: Sendable {
    var id: String
    var state: JobState
    /// As a payload frame.
    var instructions: [UInt8]
    var error: JobError?
  }

  private let folder: TemporaryFolder
  private let server: PipelineServer
  private let workers: [PhaseServer]
  private let shared: SharedProgress
  private let pipeline: PipelineDefinition

  init(
    _ pipeline: PipelineDefinition, _ schema: InstructionsSchema?, libraries: [String: String],
    stores: StorageSchemes, storage: String?, concurrency: Int, provision: SettingsOptions.Given, logLevel: Logger.Level
  ) throws(CommandFailure) {
    self.pipeline = pipeline
    folder = try TemporaryFolder()
    let shared = SharedProgress()
    self.shared = shared
    let logger = LogOptions.logger("carbontube.run", level: logLevel)
    var settings = PipelineServerSettings(logger: logger)
    settings.eventsAddress = "ipc://\(folder.path)/events"
    settings.intakeAddress = "ipc://\(folder.path)/intake"
    settings.instructionsSchema = schema
    settings.hooks.jobFinished = { shared.note($0) }
    settings.hooks.started = { shared.noteStart() }
    settings.hooks.stopped = { shared.noteEnd() }
    let uri = storage ?? "sqlite:\(folder.path)/jobs.db?synchronous=normal"
    let bound = settings
    server = try CommandFailure.explaining {
      try PipelineServer(pipeline: pipeline, storage: try stores.store(at: uri), settings: bound)
    }
    workers = try CommandFailure.explaining {
      try libraries.sorted { $0.key < $1.key }.map { jobType, library in
        var settings = PhaseServerSettings(library: library, jobType: jobType, logger: logger)
        settings.meetingAddresses = [bound.eventsAddress]
        settings.concurrency = concurrency
        provision.apply(to: &settings)
        // Whoever runs a plugin by hand is told of each crash, and decides.
        settings.quarantineAfter = nil
        return try PhaseServer(settings)
      }
    }
  }

  /// - Returns: how each job ended, in the order given.
  func run(_ jobs: [[UInt8]]) throws(CommandFailure) -> [End] {
    server.start()
    for worker in workers { worker.start() }
    defer { stop() }
    try awaitStart()
    let client = try connectedClient()
    defer { client.close() }
    let ids = try enqueue(jobs, client)
    var bar = ProgressBar(total: ids.count)
    defer { bar.finish() }
    while true {
      let seen = shared.look()
      bar.show(done: seen.ends.count, failed: seen.ends.values.count { $0.state != .succeeded })
      if seen.ends.count == ids.count { return ids.compactMap { seen.ends[$0] } }
      if seen.isInterrupted {
        throw CommandFailure(.interrupted, "interrupted: \(seen.ends.count) of \(ids.count) jobs had ended")
      }
      if seen.isOver {
        try explainEnd()
        throw CommandFailure(
          .unavailable, "the coordinator has ended; \(seen.ends.count) of \(ids.count) jobs had ended")
      }
      // The hook is told at best once; a job whose end it was not told of is asked about.
      guard shared.changed.wait(timeout: .now() + .seconds(2)) == .timedOut else { continue }
      lookFor(ids.filter { seen.ends[$0] == nil }.prefix(Self.askedAtOnce), client)
    }
  }

  private static let askedAtOnce = 50

  private func lookFor(_ ids: some Sequence<String>, _ client: PipelineClient) {
    for id in ids {
      guard let answer = try? client.request(Verbs.Job.self, .init(id: id)), answer.code == .ok,
        let job = try? answer.decoded(as: JobDocument.self), let payload = answer.payloads.first,
        let state = JobState(word: job.state), state.isFinal
      else { continue }
      shared.note(id, End(id: id, state: state, instructions: payload, error: job.error.map { JobError($0) }))
    }
  }

  /// Until the store is open jobs are refused; where it cannot be opened the server ends by itself.
  private func awaitStart() throws(CommandFailure) {
    shared.started.wait()
    try explainEnd()
  }

  private func explainEnd() throws(CommandFailure) {
    guard let failure = server.failure else { return }
    try CommandFailure.explaining { throw failure }
  }

  private func connectedClient() throws(CommandFailure) -> PipelineClient {
    let client = PipelineClient(server.intakeAddress, timeoutMilliseconds: 60_000)
    try CommandFailure.explaining { try client.connect() }
    return client
  }

  func interrupt() { shared.interrupt() }

  private func enqueue(_ jobs: [[UInt8]], _ client: PipelineClient) throws(CommandFailure) -> [String] {
    let name = pipeline.name
    let answers = try CommandFailure.explaining {
      try client.enqueue(pipeline: name, jobs: jobs.map { PipelineClient.Job(instructions: $0) })
    }
    if let refused = answers.first(where: { !$0.ok }) {
      throw CommandFailure([.invalid, .unfit].contains(refused.code) ? .data : .unavailable, refused.message)
    }
    return answers.compactMap(\.id)
  }

  private func stop() {
    for worker in workers { worker.stop() }
    for worker in workers { worker.waitUntilStopped() }
    server.stop()
    folder.remove()
  }
}

/// What the hooks' thread and the signals' thread tell the one that waits.
private final class SharedProgress: Sendable {
  let changed = DispatchSemaphore(value: 0)
  let started = DispatchSemaphore(value: 0)

  struct State {
    var ends: [String: LocalRun.End] = [:]
    var isInterrupted = false
    /// The coordinator has ended, by itself or because it was stopped.
    var isOver = false
  }

  private let state = Mutex(State())

  func note(_ job: PipelineHooks.FinishedJob) {
    note(job.id.text, LocalRun.End(id: job.id.text, state: job.state, instructions: job.instructions, error: job.error))
  }

  func note(_ id: String, _ end: LocalRun.End) {
    state.withLock { $0.ends[id] = end }
    changed.signal()
  }

  func noteStart() { started.signal() }

  func noteEnd() {
    state.withLock { $0.isOver = true }
    started.signal()
    changed.signal()
  }

  func interrupt() {
    state.withLock { $0.isInterrupted = true }
    changed.signal()
  }

  func look() -> State { state.withLock { $0 } }
}

/// A folder for this user alone.
struct TemporaryFolder: Sendable {
  let path: String

  init() throws(CommandFailure) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/carbontube-run-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CommandFailure(
        .configuration, "cannot make a folder in \(parent): \(String(cString: strerror(errno))); set TMPDIR")
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Plain files and sockets only; nothing puts folders there.
  func remove() {
    if let folder = opendir(path) {
      for name in names(in: folder) where name != "." && name != ".." { unlink("\(path)/\(name)") }
      closedir(folder)
    }
    rmdir(path)
  }
}
