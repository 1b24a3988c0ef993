internal import PipelineModel
internal import WireProtocol

/// What the coordinator remembers of jobs beside what the store keeps of them: how far they are, what they logged, what
/// became of attempts that did not succeed, what phases made of their instructions. In memory only, and bounded. A pure
/// value.
struct JobJournal {
  typealias Progress = (fraction: Double, note: String)

  /// An attempt that did not succeed.
  struct FailedAttempt {
    var job: JobID
    var phase: String
    var number: Int
    var worker: WorkerID
    /// Empty where it is not known.
    var build: String
    var outcome: AttemptOutcome
    /// In one line.
    var reason: String
    var isDead: Bool

    /// One line for people.
    var text: String {
      let what = isDead ? "is dead" : outcome == .retryRequested ? "asks to be tried again" : outcome.description
      return "job \(job) \(what) at \(phase): \(reason)"
    }
  }

  private var events = EventJournal()
  private var logs = RecentLogs()
  private var changes = RecentChanges()
  private var progress: [JobID: Progress] = [:]
  private var failureLines = FailureRemarks(perSecond: 20)
  private var deadLines = FailureRemarks(perSecond: 1_000)

  // MARK: - What happens

  mutating func noteProgress(_ progress: Progress, of job: JobID) { self.progress[job] = progress }

  /// The attempt that told its progress is over.
  mutating func endAttempt(of job: JobID) {
    // Asked for every job, mostly in vain.
    if !progress.isEmpty { progress[job] = nil }
  }

  mutating func noteChange(of job: JobID, by phase: Int, before: [UInt8], after: [UInt8]) {
    changes.add(RecentChanges.Change(phase: phase, before: before, after: after), of: job)
  }

  /// - Parameter phase: of the worker that said it, where that is known.
  mutating func note(_ line: LogLine, phase: String?, now: Timestamp) {
    if let job = line.job { logs.add(RecentLogs.Line(at: now, level: line.level, text: line.text), of: job) }
    events.add(
      EventJournal.Entry(
        at: now, level: line.level, text: line.text, job: line.job, phase: phase, worker: line.worker))
  }

  /// - Returns: true where it is worth a line in the process's log as well: jobs may fail by the thousand.
  mutating func note(_ failed: FailedAttempt, now: Timestamp, instant: Instant) -> Bool {
    events.add(
      EventJournal.Entry(
        at: now, level: failed.isDead ? .warning : .info, text: truncated(failed.text, toBytes: LogLine.maximumBytes),
        job: failed.job, phase: failed.phase, worker: failed.worker, attempt: failed.number,
        build: failed.build.isEmpty ? nil : failed.build))
    if failed.isDead { return deadLines.allows(now: instant) }
    return failed.outcome != .retryRequested && failureLines.allows(now: instant)
  }

  // MARK: - What is asked

  func progress(of job: JobID) -> Progress? { progress[job] }

  func lines(of job: JobID) -> [RecentLogs.Line] { logs.lines(of: job) }

  func changes(of job: JobID) -> [RecentChanges.Change] { changes.changes(of: job) }

  func page(after: Int?, _ filter: EventJournal.Filter, limit: Int) -> EventJournal.Page {
    events.page(after: after, filter, limit: limit)
  }

  /// How many failed attempts, and dead jobs, had no line in the log since the last call.
  mutating func takeSuppressed() -> (attempts: Int, dead: Int) {
    (failureLines.takeSuppressed(), deadLines.takeSuppressed())
  }
}
