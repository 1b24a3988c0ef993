internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// The JSON documents of the verbs' answers; docs/wire-protocol.md lists their members, which are
/// `snake_case` there.
struct StatusDocument: Encodable {
  struct Phase: Encodable {
    var jobType: String
    var waiting: Int
    var delayed: Int
    var running: Int
    var dead: Int
    var workers: Int
    var slots: Int
    var paused: Bool
  }

  struct Worker: Encodable {
    var id: String
    var host: String
    var pid: Int
    var jobType: String
    var concurrency: Int
    var inFlight: Int
    var succeeded: Int
    var failed: Int
    var state: String
    var plugin: String
    var pluginFile: String
    var heartbeatAgeMs: Int64
  }

  struct Store: Encodable {
    var address: String
    var state: String
    var problem: String?
  }

  var pipeline: String
  var coordinator: String
  var uptimeMs: Int64
  var paused: Bool
  var phases: [Phase]
  var succeeded: Int
  var cancelled: Int
  var workers: [Worker]
  var store: Store
  var malformedMessages: Int
}

struct JobDocument: Encodable {
  struct Attempt: Encodable {
    var jobType: String
    var number: Int
    var worker: String
    var plugin: String
    var startedAtMs: Int64
    var endedAtMs: Int64
    var outcome: String
  }

  struct Failure: Encodable {
    var type: String
    var message: String
    var location: String
    var stderrTail: String
  }

  var id: String
  var state: String
  var phase: Int
  var jobType: String
  var priority: Int
  var attempt: Int
  var failures: Int
  var crashes: Int
  var enqueuedAtMs: Int64
  var updatedAtMs: Int64
  var dueAtMs: Int64?
  var worker: String?
  var progress: Double?
  var error: Failure?
  var attempts: [Attempt]

  init(_ record: JobRecord, pipeline: PipelineDefinition, progress: Double?) {
    func name(of phase: Int) -> String {
      pipeline.phases.indices.contains(phase) ? pipeline.phases[phase].jobType : ""
    }
    id = record.id.text
    state = record.state.description
    phase = record.phase
    jobType = name(of: record.phase)
    priority = record.priority
    attempt = record.attempt
    failures = record.failures
    crashes = record.crashes
    enqueuedAtMs = record.enqueuedAt.milliseconds
    updatedAtMs = record.updatedAt.milliseconds
    dueAtMs = record.dueAt?.milliseconds
    worker = record.worker?.text
    self.progress = record.state == .running ? progress : nil
    error = record.error.map {
      Failure(type: $0.type, message: $0.message, location: $0.location, stderrTail: $0.standardErrorTail)
    }
    attempts = record.attempts.map {
      Attempt(
        jobType: name(of: $0.phase), number: $0.number, worker: $0.worker.text, plugin: $0.plugin,
        startedAtMs: $0.startedAt.milliseconds, endedAtMs: $0.endedAt.milliseconds,
        outcome: $0.outcome.description)
    }
  }
}

/// The arguments of the verbs; every member is optional, what a verb needs is said in docs/wire-protocol.md.
struct VerbArguments: Decodable {
  var id: String?
  var ids: [String]?
  var states: [String]?
  var phase: String?
  var error: String?
  var idPrefix: String?
  var cursor: String?
  var limit: Int?
  var minutes: Int?
  var worker: String?
}

struct MetricsDocument: Encodable {
  struct Phase: Encodable {
    var jobType: String
    var enqueued: Int
    var started: Int
    var succeeded: Int
    var failed: Int
    var retried: Int
    var crashed: Int
    var dead: Int
    var latencyP50Us: Int64?
    var latencyP99Us: Int64?
    var waitP50Us: Int64?
    var waitP99Us: Int64?

    init(_ metrics: PhaseMetrics, jobType: String) {
      self.jobType = jobType
      enqueued = metrics.enqueued
      started = metrics.started
      succeeded = metrics.succeeded
      failed = metrics.failed
      retried = metrics.retried
      crashed = metrics.crashed
      dead = metrics.dead
      latencyP50Us = metrics.latency.percentile(0.5)
      latencyP99Us = metrics.latency.percentile(0.99)
      waitP50Us = metrics.wait.percentile(0.5)
      waitP99Us = metrics.wait.percentile(0.99)
    }
  }

  var minutes: Int64
  var phases: [Phase]
}
