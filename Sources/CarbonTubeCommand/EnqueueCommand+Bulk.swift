internal import ArgumentParser
internal import CarbonTube

/// Jobs from a file or from stdin.
extension EnqueueCommand {
  var isBulk: Bool { file != nil || instructions == ["-"] }

  func validateBulk() throws {
    try requireText(file, of: "--file")
    guard file == nil || instructions.isEmpty else { throw ValidationError("give either --file or instructions") }
    guard isBulk || (!jobs && !skipMalformed && resumeFrom == nil && runName == nil) else {
      throw ValidationError("--jobs, --skip-malformed, --resume-from and --run need --file or '-'")
    }
    guard resumeFrom ?? 1 >= 1 else { throw ValidationError("--resume-from is the number of a line, from 1") }
    guard resumeFrom == nil || runName != nil else {
      throw ValidationError("--resume-from needs --run, the run it goes on with")
    }
    guard runName.map({ JobID($0 + "-1000000000000") != nil }) ?? true else {
      throw ValidationError("--run must be printable ASCII characters without spaces, as the run before named itself")
    }
    guard !(isBulk && wait && (resumeFrom != nil || skipMalformed)) else {
      throw ValidationError("--wait goes with neither --resume-from nor --skip-malformed")
    }
  }

  /// Whoever waits for jobs holds them all.
  private static var maximumAwaited: Int { 10_000 }

  func fewJobs() throws -> [PipelineClient.Job] {
    let delay = try delayMilliseconds(now: .now())
    guard isBulk else {
      return try InstructionsSource.read(instructions.isEmpty ? ["{}"] : instructions).map {
        PipelineClient.Job(id: id, instructions: $0, priority: priority, delayMilliseconds: delay)
      }
    }
    var source = try source(of: Self.newRun())
    var found: [PipelineClient.Job] = []
    while true {
      let batch = try source.next { false }
      if let malformed = batch.malformed.first {
        throw CommandFailure(.data, "line \(malformed.line): \(malformed.reason)")
      }
      found += batch.jobs.map(\.job)
      guard found.count <= Self.maximumAwaited else {
        throw CommandFailure(
          .usage,
          "--wait waits for \(Self.maximumAwaited) jobs at most; enqueue more without it, and ask 'carbontube jobs'")
      }
      if batch.isLast { break }
    }
    if found.isEmpty { StandardStreams.complain("carbontube: no instructions on stdin, so no jobs") }
    return found
  }

  private func source(of run: String) throws -> BulkSource {
    try BulkSource(
      file, isJobs: jobs, run: run, first: resumeFrom ?? 1, priority: priority,
      delayMilliseconds: try delayMilliseconds(now: .now()))
  }

  func enqueueBulk() throws {
    let run = runName ?? Self.newRun()
    // Before the coordinator is asked: what cannot be read needs none.
    let source = try source(of: run)
    let client = PipelineClient(address, timeoutMilliseconds: min(Int(timeout * 1_000), Self.answerMilliseconds))
    defer { client.close() }
    try connect(client)
    // Whoever kills it outright can go on as well.
    StandardStreams.complain("carbontube: run \(run); where it ends untimely, --run \(run) goes on with it")
    let bulk = BulkEnqueue(
      client, pipeline: pipeline,
      resumption: BulkEnqueue.Resumption(command: sameCommand, run: run, readsStandardInput: file == nil),
      from: resumeFrom ?? 1, json: json, skipsMalformed: skipMalformed, patienceMilliseconds: Int64(timeout * 1_000))
    try bulk.run(source)
  }

  /// A coordinator that was started again does not answer what the one before it was sent; under the same ids that can be
  /// sent again.
  private static var answerMilliseconds: Int { 3_000 }

  private func connect(_ client: PipelineClient) throws(CommandFailure) {
    let deadline = Instant.now() + Int64(timeout * 1_000)
    while true {
      do throws(PipelineClientError) {
        return try client.connect()
      } catch {
        guard error.kind == .unreachable || error.kind == .timedOut, Instant.now() < deadline else {
          return try CommandFailure.explaining { throw error }
        }
      }
    }
  }

  /// So many that no two runs on one pipeline are the same by chance.
  private static func newRun() -> String { String(UInt64.random(in: 0..<1 << 60), radix: 36) }

  private var sameCommand: String {
    var words = ["carbontube", "enqueue", address, pipeline]
    words += file.map { ["--file", $0] } ?? ["-"]
    if jobs { words.append("--jobs") }
    if skipMalformed { words.append("--skip-malformed") }
    if json { words.append("--json") }
    if priority != 0 { words.append("--priority=\(priority)") }
    if let delay { words += ["--delay", "\(delay)"] }
    if let at { words += ["--at", at] }
    return words.map(Self.quoted).joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-_./:=@%+,".utf8.contains(byte)
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
