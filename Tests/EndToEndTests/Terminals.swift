import ControlProtocol
import Foundation
import PipelineAccess
import PluginTestKit
import Testing

/// A pipeline in several terminals: a coordinator, workers, and a client beside them.
final class Terminals {
  let folder: TemporaryFolder
  let storage: [String]
  private(set) var coordinator: Program
  private(set) var workers: [Program] = []
  let jobs: String
  let events: String
  let client: PipelineClient

  static let library = "\(buildFolder)/libExample.so"

  /// - Parameter storage: an address for `--storage`; nil: what the command chooses by itself.
  /// - Parameter options: further ones of the coordinator.
  init(storage: String? = nil, folder: TemporaryFolder? = nil, options: [String] = []) throws {
    self.folder = try folder ?? TemporaryFolder()
    self.storage = (storage.map { ["--storage", $0] } ?? []) + options
    coordinator = try Self.coordinator(
      in: self.folder, ["--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*"] + self.storage)
    let words = try coordinator.line(holding: "pipeline example-one: jobs").split(separator: " ")
    jobs = String(words[3].dropLast())
    events = String(words[5].dropLast())
    client = PipelineClient(jobs, timeoutMilliseconds: 60_000)
    try client.connect()
  }

  private static func coordinator(in folder: TemporaryFolder, _ options: [String]) throws -> Program {
    try Program("carbontube", ["pipeline", library, "example-one"] + options, in: folder.path)
  }

  @discardableResult
  func addWorker(_ jobType: String, library: String = Terminals.library, _ options: [String] = []) throws -> Program {
    let worker = try Program(
      "carbontube", ["phase", library, jobType, "--sub-connect=\(events)"] + options, in: folder.path,
      environment: ["TMPDIR": folder.path])
    workers.append(worker)
    _ = try worker.line(holding: "phase \(jobType): pipeline \(events)")
    return worker
  }

  func addWorkers(_ countPerPhase: Int) throws {
    for _ in 0..<countPerPhase {
      try addWorker("generate-file")
      try addWorker("calculate-hash", library: "\(buildFolder)/libHashFile.so")
      try addWorker("delete-file")
    }
  }

  func killCoordinator() throws { try coordinator.killAndWait() }

  /// On the same addresses and storage as before.
  func restartCoordinator() throws {
    coordinator = try Self.coordinator(in: folder, ["--sub-bind=\(events)", "--job-pull=\(jobs)"] + storage)
    _ = try coordinator.line(holding: "pipeline example-one: jobs")
  }

  func enqueue(_ count: Int, size: Int = 10) throws -> [String] {
    let input = Array(repeating: #"{"size": \#(size)}"#, count: count).joined(separator: "\n")
    let end = try Program.run(["enqueue", jobs, "example-one", "-"], in: folder.path, input: input)
    guard end.status == 0 else { throw Unexpected(end.complaint) }
    return end.lines
  }

  // MARK: Asking

  func status() throws -> StatusDocument { try client.ask(Verbs.Status.self) }

  /// Asks until the answer fits.
  @discardableResult
  func awaitStatus(_ what: String, _ fits: (StatusDocument) -> Bool) throws -> StatusDocument {
    let deadline = Date() + 120
    while true {
      let status = try status()
      if fits(status) { return status }
      guard Date() < deadline else { throw Unexpected("not in time: \(what); \(status)\n\(coordinator.complaints)") }
      // Leaves the machine to those who work.
      poll(nil, 0, 20)
    }
  }

  /// Every job there is, with its instructions.
  func allJobs() throws -> [(job: JobDocument, instructions: [String: Any])] {
    var found: [(job: JobDocument, instructions: [String: Any])] = []
    var cursor: String?
    repeat {
      let answer = try client.request(Verbs.Jobs.self, .init(cursor: cursor, limit: 500))
      let page = try answer.decoded(as: JobsDocument.self)
      for (job, payload) in zip(page.jobs, answer.payloads) {
        let object = try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        found.append((job, object ?? [:]))
      }
      cursor = page.next
    } while cursor != nil
    return found
  }

  /// After any fault: every job that was acknowledged is there once, and has succeeded.
  /// - Returns: attempts beyond one per phase.
  @discardableResult
  func expectAllSucceeded(_ ids: [String], sourceLocation: SourceLocation = #_sourceLocation) throws -> Int {
    let jobs = try allJobs()
    #expect(Set(jobs.map(\.job.id)) == Set(ids), sourceLocation: sourceLocation)
    #expect(jobs.count == ids.count, sourceLocation: sourceLocation)
    let others = jobs.filter { $0.job.state != "succeeded" }
    #expect(others.isEmpty, "\(others.prefix(3))", sourceLocation: sourceLocation)
    for job in jobs {
      let succeeded = job.job.attempts.count { $0.outcome == "succeeded" }
      #expect(succeeded == 3, "\(job)", sourceLocation: sourceLocation)
    }
    return jobs.reduce(0) { $0 + $1.job.attempts.count - 3 }
  }
}

extension StatusDocument {
  var unfinished: Int { phases.reduce(0) { $0 + $1.waiting + $1.delayed + $1.running } }
  var dead: Int { phases.reduce(0) { $0 + $1.dead } }
}
