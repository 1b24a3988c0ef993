public import CPhaseABI
import Glibc
import PhaseKit

/// Does what a test asks for with `{"do": …}`.
struct Puppet: UntypedPhase {
  static let jobType = "puppet"

  struct Mishap: Error {
    var detail: String
  }

  func execute(_ instructions: Instructions, _ job: JobContext) async throws -> Instructions? {
    switch instructions["do"]?.string {
    case "echo":
      return ["id": .string(job.id), "attempt": .integer(Int64(job.attempt)), "pipeline": .string(job.pipeline)]
    case "return": return instructions["value"].map { ["value": $0] }
    case "infinite": return ["value": .number(.infinity)]
    case "throw": throw Mishap(detail: "slipped")
    case "permanent": throw PhaseError.permanent("will never do", file: "Puppet.swift", line: 7)
    case "retry": throw PhaseError.retry("busy", after: .milliseconds(1_500))
    case "self-cancel": throw CancellationError()
    case "wait": return try await waitForCancellation(job)
    case "sleep":
      try await Task.sleep(for: .milliseconds(instructions["ms"]?.integer ?? 0))
      return nil
    case "main-actor": return ["sum": .integer(await onMain(20, 22))]
    case "hop": return try await hop()
    case "log": return speak(job)
    case "measure": return measure(job)
    case "print": return speakOutside()
    default: return try misbehave(instructions["do"]?.string ?? "")
    }
  }

  private func waitForCancellation(_ job: JobContext) async throws -> Instructions? {
    job.progress(0.25, note: "waiting")
    try await Task.sleep(for: .seconds(3_600))
    return nil
  }

  @MainActor private func onMain(_ left: Int64, _ right: Int64) -> Int64 { left + right }

  /// Through Swift's own pool and back.
  private func hop() async throws -> Instructions? {
    let parts = await withTaskGroup(of: Int64.self) { group in
      for part in 1...8 { group.addTask { Int64(part) } }
      return await group.reduce(0, +)
    }
    let detached = await Task.detached { Int64(6) }.value
    await Task.yield()
    return ["sum": .integer(parts + detached)]
  }

  private func speak(_ job: JobContext) -> Instructions? {
    job.logger.debug("one")
    job.logger.warning("two")
    job.progress(1, note: "said")
    return nil
  }

  private func measure(_ job: JobContext) -> Instructions? {
    var logger = job.logger
    logger[metadataKey: "batch"] = "7"
    logger.info("read", metadata: ["size": "\(3)", "kind": "a \"b\"", "no name": "left out"])
    logger.info("plain", metadata: ["batch": "8"])
    for _ in 0..<3 { job.metrics.count("files") }
    job.metrics.count("bytes", 0.5)
    job.metrics.gauge("depth", 2)
    job.metrics.count("No Name")
    return nil
  }

  private func speakOutside() -> Instructions? {
    print("on stdout")
    fflush(nil)
    return nil
  }

  private func misbehave(_ how: String) throws -> Instructions? {
    switch how {
    case "trap": fatalError("asked to trap")
    case "exit": exit(0)
    case "abort": abort()
    default: throw PhaseError.badInput("cannot do '\(how)'")
    }
  }
}

/// Gives its typed input back.
struct Returner: Phase {
  static let jobType = "returner"
  struct Value: Codable { var value: JSONValue }
  func execute(_ input: Value, _ job: JobContext) async throws -> Value? { input }
}

/// Its result is not an object.
struct Lister: Phase {
  static let jobType = "lister"
  struct Input: Decodable { var count: Int }
  func execute(_ input: Input, _ job: JobContext) async throws -> [Int]? { Array(0..<input.count) }
}

/// Says what it takes by a pattern that cannot be searched in linear time.
struct Patterned: UntypedPhase {
  static let jobType = "fixture-pattern"
  static let inputSchema: String? = #"{"properties":{"name":{"pattern":"^(?=[a-z])"}}}"#
  func execute(_ instructions: Instructions, _ job: JobContext) async throws -> Instructions? { nil }
}

struct PatternedOnly: Pipeline {
  static let name = "patterned"
  static let phases = [PipelineStep("fixture-pattern")]
}

struct Puppets: Pipeline {
  static let name = "puppets"
  static let phases = ["puppet"]
}

struct Hooked: Pipeline {
  static let name = "hooked"
  static let phases = [
    PipelineStep("puppet", attempts: 5, timeout: .seconds(9)),
    PipelineStep(
      "lister", crashes: 2, timeout: .milliseconds(500), backoff: .milliseconds(200), maximumBackoff: .seconds(60)),
  ]

  func initialize(_ setup: PipelineSetup) async throws {
    setup.storage("memory:")
    setup.set("colour", to: "green")
  }

  func onStarted(_ context: PipelineContext) async throws {
    throw PhaseError.failed("no bell to ring", type: "BellMissing")
  }

  func handleFinishedJob(_ job: FinishedJob, _ context: PipelineContext) async throws {
    context.logger.info("\(job.id) \(job.state.rawValue) \(job.instructions["n"]?.integer ?? -1)")
  }
}

/// Chooses a storage that no program knows unless it was told of it, and says whenever it is called.
struct Heard: Pipeline {
  static let name = "heard"
  static let phases = [PipelineStep("puppet", attempts: 1)]

  func initialize(_ setup: PipelineSetup) async throws { setup.storage("shelf:heard") }

  func onStarted(_ context: PipelineContext) async throws { context.logger.info("started") }

  func onFinished(_ context: PipelineContext) async throws { context.logger.info("finished") }

  func handleFinishedJob(_ job: FinishedJob, _ context: PipelineContext) async throws {
    context.logger.info("\(job.id) \(job.state.rawValue)")
  }
}

let plugin = Plugin(
  "org.carbontube.fixture", version: "0.1.0", phases: [Puppet.self, Lister.self, Returner.self, Patterned.self],
  pipelines: [Hooked.self, Heard.self, PatternedOnly.self, Puppets.self])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func carbontube_plugin_v1(_ hostMinor: UInt32) -> UnsafePointer<ct_plugin>? { plugin.abi }
