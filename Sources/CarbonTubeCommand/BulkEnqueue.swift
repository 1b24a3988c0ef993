internal import CarbonTube
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Jobs from a file or a pipe into a pipeline: in batches, each job under an id that is known before it is sent, so that
/// whatever interrupts it can be gone on with and stores no job twice.
final class BulkEnqueue: Sendable {
  /// How the same command goes on.
  struct Resumption: Sendable {
    /// Up to the options that say where to go on, quoted for a shell.
    var command: String
    var run: String
    var readsStandardInput: Bool

    func words(from line: Int) -> String {
      "\(command) --run \(run) --resume-from \(line)\(readsStandardInput ? " < THE SAME INPUT" : "")"
    }
  }

  private struct Progress {
    var stored = 0
    var duplicates = 0
    var malformed = 0
    /// All jobs before it are stored, or were passed over as malformed.
    var nextLine: Int
    var isInterrupted = false
    var isOver = false
  }

  private let client: PipelineClient
  private let pipeline: String
  private let resumption: Resumption
  private let json: Bool
  private let skipsMalformed: Bool
  /// How long a coordinator that is away is waited for.
  private let patienceMilliseconds: Int64
  private let progress: Mutex<Progress>

  init(
    _ client: PipelineClient, pipeline: String, resumption: Resumption, from line: Int, json: Bool,
    skipsMalformed: Bool, patienceMilliseconds: Int64
  ) {
    self.client = client
    self.pipeline = pipeline
    self.resumption = resumption
    self.json = json
    self.skipsMalformed = skipsMalformed
    self.patienceMilliseconds = patienceMilliseconds
    progress = Mutex(Progress(nextLine: line))
  }

  /// - Throws: where not all could be stored, with the words to go on.
  func run(_ source: consuming BulkSource) throws(CommandFailure) {
    let signals = StopSignals { [self] count in interrupt(count) }
    defer { withExtendedLifetime(signals) {} }
    var bar = BulkBar(totalBytes: source.totalBytes)
    defer { bar.finish() }
    var source = source
    while true {
      let batch = try source.next { progress.withLock(\.isInterrupted) }
      try handle(batch, &bar)
      let (present, read) = (progress.withLock { $0 }, source.bytesRead)
      bar.show(jobs: present.stored + present.duplicates, bytes: read)
      if present.isInterrupted { throw interrupted() }
      if batch.isLast { break }
    }
    try conclude()
  }

  private func handle(_ batch: BulkSource.Batch, _ bar: inout BulkBar) throws(CommandFailure) {
    var jobs = batch.jobs
    let stop = skipsMalformed ? nil : batch.malformed.first
    if let stop { jobs.removeAll { $0.line > stop.line } }
    if !jobs.isEmpty { try store(jobs, &bar) }
    if let stop { throw malformed(stop) }
    for malformed in batch.malformed {
      bar.clear()
      passOver(malformed)
    }
    progress.withLock {
      $0.nextLine = max($0.nextLine, batch.lastLine + 1)
    }
  }

  /// Until all are stored or refused for good; under the same ids as often as it takes.
  private func store(_ jobs: [BulkSource.Numbered], _ bar: inout BulkBar) throws(CommandFailure) {
    var rest = jobs
    var pause: UInt32 = 100
    var deadline = Instant.now() + patienceMilliseconds
    while !rest.isEmpty {
      let (left, reason) = try attempt(rest, &bar)
      guard !left.isEmpty else { return }
      let now = Instant.now()
      if left.count < rest.count { (pause, deadline) = (100, now + patienceMilliseconds) }
      rest = left
      if progress.withLock(\.isInterrupted) { throw interrupted() }
      guard now < deadline else { throw ended(.unavailable, reason) }
      usleep(pause * 1_000)
      pause = min(pause * 2, 2_000)
    }
  }

  /// - Returns: those that are to be sent again, and why.
  private func attempt(
    _ jobs: [BulkSource.Numbered], _ bar: inout BulkBar
  ) throws(CommandFailure) -> (left: [BulkSource.Numbered], reason: String) {
    let answers: [EnqueueAnswer]
    do throws(PipelineClientError) {
      answers = try client.enqueue(pipeline: pipeline, jobs: jobs.map(\.job))
    } catch {
      guard [.timedOut, .unreachable, .busy].contains(error.kind) else {
        throw ended(.unavailable, error.message)
      }
      return (jobs, error.message)
    }
    // Ids on the same terminal would be written into it.
    if StandardStreams.outputIsTerminal { bar.clear() }
    var left: [BulkSource.Numbered] = []
    var reason = ""
    var refused: BulkSource.Malformed?
    for (numbered, answer) in zip(jobs, answers) {
      switch answer.code {
      case .ok, .duplicate: note(answer, numbered, isBroken: !left.isEmpty || refused != nil)
      case .busy, .unavailable, .stopping:
        left.append(numbered)
        reason = "\(client.address): \(answer.message)"
      case .invalid, .unfit, .notFound:
        let line = BulkSource.Malformed(line: numbered.line, reason: "was refused: \(answer.message)")
        if skipsMalformed { passOver(line) } else { refused = refused ?? line }
      }
    }
    if let refused { throw malformed(refused) }
    return (left, reason)
  }

  private func note(_ answer: EnqueueAnswer, _ numbered: BulkSource.Numbered, isBroken: Bool) {
    if json {
      StandardStreams.sayJSON(JSONText.of(AnswerDocument(answer)))
    } else {
      StandardStreams.say(answer.id ?? "")
    }
    progress.withLock { progress in
      if answer.code == .ok { progress.stored += 1 } else { progress.duplicates += 1 }
      if !isBroken { progress.nextLine = numbered.line + 1 }
    }
  }

  private func passOver(_ line: BulkSource.Malformed) {
    StandardStreams.complain("carbontube: line \(line.line): \(line.reason); passed over")
    progress.withLock { $0.malformed += 1 }
  }

  // MARK: - Words

  private func malformed(_ line: BulkSource.Malformed) -> CommandFailure {
    progress.withLock { $0.nextLine = line.line }
    return ended(.data, "line \(line.line): \(line.reason); mend it, or pass such lines over with --skip-malformed")
  }

  private func interrupted() -> CommandFailure { ended(.interrupted, "interrupted") }

  /// From now on a signal has nothing to tell any more.
  private func concluded() -> Progress {
    progress.withLock { progress in
      progress.isOver = true
      return progress
    }
  }

  /// Tells what is stored and how to go on.
  private func ended(_ status: ExitStatus, _ reason: String) -> CommandFailure {
    let progress = concluded()
    let there = progress.duplicates > 0 ? ", \(progress.duplicates) were there already" : ""
    let left = progress.malformed > 0 ? ", \(progress.malformed) malformed lines were passed over" : ""
    StandardStreams.complain(
      "carbontube: \(progress.stored) jobs stored\(there)\(left); all before line \(progress.nextLine) are there")
    StandardStreams.complain("carbontube: go on with: \(resumption.words(from: progress.nextLine))")
    return CommandFailure(status, reason)
  }

  private func conclude() throws(CommandFailure) {
    let progress = concluded()
    if progress.stored + progress.duplicates + progress.malformed == 0 {
      StandardStreams.complain("carbontube: no instructions on stdin, so no jobs")
    }
    if progress.duplicates > 0 {
      StandardStreams.complain(
        "carbontube: \(progress.duplicates) jobs were enqueued before; \(progress.stored) are new")
    }
    guard progress.malformed > 0 else { return }
    throw CommandFailure(
      .data, "\(progress.malformed) lines were malformed and passed over; \(progress.stored) jobs stored")
  }

  // MARK: - Interruption

  private static let settlingSeconds = 2.0

  /// The first signal lets what is under way be answered; a coordinator that gives no answer is not waited for.
  private func interrupt(_ count: Int) {
    progress.withLock { $0.isInterrupted = true }
    guard count == 1 else { return giveUp() }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.settlingSeconds) { [self] in giveUp() }
  }

  private func giveUp() {
    guard !progress.withLock(\.isOver) else { return }
    let failure = ended(.interrupted, "interrupted; what was sent last may be stored or not")
    StandardStreams.complain("carbontube: \(failure.message)")
    _exit(ExitStatus.interrupted.rawValue)
  }
}
