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
    /// Of workers that take jobs.
    var slots: Int
    var paused: Bool
    /// Why nothing of it is done.
    var note: String?
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
    /// Why it takes no jobs, or fewer than it could.
    var reason: String?
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
  /// Of the instructions of dead jobs.
  var deadBytes: Int
  var workers: [Worker]
  var store: Store
  var malformedMessages: Int
  /// What somebody should look after, one sentence each.
  var warnings: [String]
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
  var progressNote: String?
  var error: Failure?
  var attempts: [Attempt]
  /// The last lines it logged; nil in lists.
  var log: [Line]?

  /// What phases made of its instructions, as far as it is remembered; nil in lists. The payloads follow the job's own,
  /// two for each: before and after.
  var changes: [Change]?

  struct Change: Encodable {
    var phase: Int
    var jobType: String
  }

  struct Line: Encodable {
    var atMs: Int64
    var level: String
    var text: String
  }

  init(
    _ record: JobRecord, pipeline: PipelineDefinition, progress: (fraction: Double, note: String)?, at now: Moment,
    log: [RecentLogs.Line]? = nil, changes: [RecentChanges.Change]? = nil
  ) {
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
    // Due times are told on another timeline than what is shown.
    dueAtMs = record.dueAt.map { now.wall + ($0 - now.steady) }?.milliseconds
    worker = record.worker?.text
    if record.state == .running {
      self.progress = progress?.fraction
      progressNote = progress?.note
    }
    self.changes = changes?.map { Change(phase: $0.phase, jobType: name(of: $0.phase)) }
    self.log = log?.map { Line(atMs: $0.at.milliseconds, level: "\($0.level)", text: $0.text) }
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

/// What was counted since the coordinator's start, for programs that compute rates themselves.
struct TotalsDocument: Encodable {
  struct Histogram: Encodable {
    /// One for each of `bounds_us`, and one for what is longer; not cumulative.
    var counts: [Int]
    var sumUs: Int64

    init(_ histogram: DurationHistogram) {
      counts = histogram.counts
      sumUs = histogram.sumMicroseconds
    }
  }

  struct Phase: Encodable {
    var jobType: String
    var enqueued: Int
    var started: Int
    var succeeded: Int
    var failed: Int
    var retried: Int
    var crashed: Int
    var dead: Int
    var latency: Histogram
    var wait: Histogram
  }

  var coordinator: String
  var boundsUs = DurationHistogram.bounds
  var phases: [Phase]
  var measures: [MeasureDocument]

  init(_ totals: [PhaseMetrics], _ measures: [MeasureDocument], pipeline: PipelineDefinition, coordinator: String) {
    self.coordinator = coordinator
    self.measures = measures
    phases = totals.map {
      Phase(
        jobType: pipeline.phases[$0.phase].jobType, enqueued: $0.enqueued, started: $0.started,
        succeeded: $0.succeeded, failed: $0.failed, retried: $0.retried, crashed: $0.crashed, dead: $0.dead,
        latency: Histogram($0.latency), wait: Histogram($0.wait))
    }
  }
}

/// A span of time in steps, both in minutes. Steps begin at multiples of their length, so that a chart that is drawn again
/// shows the same ones. A pure value.
struct HistorySteps: Equatable {
  static let maximum: Int64 = 1_440

  let range: ClosedRange<Int64>
  let length: Int64

  /// - Parameters:
  ///   - minutes: the span; at least one step.
  ///   - length: of a step; more where there would be more than `maximum` of them.
  ///   - present: the last minute of the span.
  init(minutes: Int64, length: Int64, present: Int64) {
    let span = max(1, minutes)
    let step = max(1, length, (span + Self.maximum - 1) / Self.maximum)
    self.length = step
    range = ((present - max(span, step) + step) / step * step)...max(0, present)
  }

  var starts: StrideThrough<Int64> { stride(from: range.lowerBound, through: range.upperBound, by: Int(length)) }

  func index(of minute: Int64) -> Int { Int((minute - range.lowerBound) / length) }
}

/// The metrics in steps of some minutes, oldest first; a step in which nothing happened is there as well.
struct HistoryDocument: Encodable {
  struct Step: Encodable {
    /// When it began.
    var atMs: Int64
    var phases: [MetricsDocument.Phase]
  }

  var stepMinutes: Int64
  var steps: [Step]

  init(_ found: [PhaseMetrics], steps: HistorySteps, pipeline: PipelineDefinition) {
    stepMinutes = steps.length
    var sums = steps.starts.map { start in pipeline.phases.indices.map { PhaseMetrics(minute: start, phase: $0) } }
    for metrics in found where steps.range.contains(metrics.minute) {
      sums[steps.index(of: metrics.minute)][metrics.phase].add(metrics)
    }
    self.steps = zip(steps.starts, sums).map { start, phases in
      Step(
        atMs: start * 60_000,
        phases: phases.map { MetricsDocument.Phase($0, jobType: pipeline.phases[$0.phase].jobType) })
    }
  }
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
  /// Since the coordinator's start, whatever the minutes.
  var measures: [MeasureDocument]
}

/// Who was told to run a build again.
struct ReleaseDocument: Encodable {
  var plugin: String
  var workers: [String]
}
