internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// The JSON documents of the verbs' answers; docs/wire-protocol.md lists their members. `snake_case` as on the wire.
struct StatusDocument: Encodable {
  struct Phase: Encodable {
    var job_type: String
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
    var job_type: String
    var concurrency: Int
    var in_flight: Int
    var succeeded: Int
    var failed: Int
    var state: String
    var plugin: String
    var plugin_file: String
    var heartbeat_age_ms: Int64
  }

  struct Store: Encodable {
    var address: String
    var state: String
    var problem: String?
  }

  var pipeline: String
  var coordinator: String
  var uptime_ms: Int64
  var paused: Bool
  var phases: [Phase]
  var succeeded: Int
  var cancelled: Int
  var workers: [Worker]
  var store: Store
  var malformed_messages: Int
}

struct JobDocument: Encodable {
  struct Attempt: Encodable {
    var job_type: String
    var number: Int
    var worker: String
    var plugin: String
    var started_at_ms: Int64
    var ended_at_ms: Int64
    var outcome: String
  }

  struct Failure: Encodable {
    var type: String
    var message: String
    var location: String
    var stderr_tail: String
  }

  var id: String
  var state: String
  var phase: Int
  var job_type: String
  var priority: Int
  var attempt: Int
  var failures: Int
  var crashes: Int
  var enqueued_at_ms: Int64
  var updated_at_ms: Int64
  var due_at_ms: Int64?
  var worker: String?
  var progress: Double?
  var error: Failure?
  var attempts: [Attempt]

  init(_ record: JobRecord, pipeline: PipelineDefinition, progress: Double?) {
    func jobType(_ phase: Int) -> String {
      pipeline.phases.indices.contains(phase) ? pipeline.phases[phase].jobType : ""
    }
    id = record.id.text
    state = record.state.description
    phase = record.phase
    job_type = jobType(record.phase)
    priority = record.priority
    attempt = record.attempt
    failures = record.failures
    crashes = record.crashes
    enqueued_at_ms = record.enqueuedAt.milliseconds
    updated_at_ms = record.updatedAt.milliseconds
    due_at_ms = record.dueAt?.milliseconds
    worker = record.worker?.text
    self.progress = record.state == .running ? progress : nil
    error = record.error.map {
      Failure(type: $0.type, message: $0.message, location: $0.location, stderr_tail: $0.standardErrorTail)
    }
    attempts = record.attempts.map {
      Attempt(
        job_type: jobType($0.phase), number: $0.number, worker: $0.worker.text, plugin: $0.plugin,
        started_at_ms: $0.startedAt.milliseconds, ended_at_ms: $0.endedAt.milliseconds,
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
  var id_prefix: String?
  var cursor: String?
  var limit: Int?
  var worker: String?
}
