internal import HostProtocol
internal import HostSupervision
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// What goes to the children and what comes from them.
extension PhaseService {
  /// Runs shorter than this on average are given to a child ahead of time, so that it never waits for the worker.
  private static var pipelinedBelowMicroseconds: Double { 5_000 }

  /// Jobs that a child may hold. What is in a child cannot be recalled, so beyond the second it is at most 2 ms of work.
  private func childDepth(_ meanDuration: Double?) -> Int {
    guard let mean = meanDuration, mean < Self.pipelinedBelowMicroseconds else { return 1 }
    return min(max(2, Int(2_000 / max(mean, 1))), 32)
  }

  /// Jobs that take no longer than this together go to one child, since waking another takes longer.
  private static var batchMicroseconds: Double { 200 }

  /// A run longer than this keeps others from being given to its child.
  private static var longMilliseconds: Int64 { 20 }

  /// Jobs to children, the emptiest child first.
  func giveOut(now: Instant) {
    let remaining = oneOff.maximumJobs == nil ? Int.max : remainingJobs
    if let link = links.first(where: { !$0.held.isEmpty }) {
      // Otherwise those behind it would keep every child busy.
      return giveOutSuspects(of: link, remaining)
    }
    guard links.count < 2 || !runsSuspect else { return }
    var given = 0
    while given < remaining, let link = nextToServe(), let (slot, most) = childToGive(link, now: now) {
      // Among several coordinators the next job may be another one's.
      given += give(upTo: links.count > 1 ? 1 : min(most, remaining - given), of: link, to: slot)
    }
    if given > 0 { for slot in slots { slot.flush() } }
  }

  /// - Returns: how many there were.
  private func give(upTo most: Int, of link: CoordinatorLink, to slot: HostSlot) -> Int {
    let now = ClockReading(clocks)
    var given = 0
    while given < most, let assignment = link.backlog.popFirst() {
      given += 1
      slot.give(assignment, limit: limit(of: assignment), at: now)
    }
    return given
  }

  private func giveOutSuspects(of link: CoordinatorLink, _ remaining: Int) {
    var remaining = remaining
    for slot in slots where slot.isIdle && remaining > 0 && link.outbox.hasRoom {
      guard let assignment = link.held.popAllowed() else { return }
      remaining -= 1
      slot.give(assignment, limit: limit(of: assignment), at: ClockReading(clocks))
      slot.flush()
    }
  }

  private var runsSuspect: Bool { slots.contains { $0.runs.first?.assignment.order.isSuspect == true } }

  /// The child that gets the next job: jobs that take no longer than `batchMicroseconds` in all go to one, then to the
  /// next, until each has as many as it may hold.
  /// - Returns: as well how many it may get before the next one has its turn.
  private func childToGive(_ link: CoordinatorLink, now: Instant) -> (slot: HostSlot, most: Int)? {
    let depth = childDepth(link.meanDuration)
    let batch = min(depth, max(1, Int(Self.batchMicroseconds / max(link.meanDuration ?? .infinity, 1))))
    for level in stride(from: batch, through: depth, by: batch) {
      for slot in slots where slot.isReady && slot.runs.count < level && !isLong(slot.runs.first, now: now) {
        return (slot, level - slot.runs.count)
      }
    }
    return nil
  }

  private var remainingJobs: Int {
    oneOff.remainingJobs(ended: jobsEnded, running: slots.reduce(0) { $0 + $1.runs.count })
  }

  private func isLong(_ run: HostRun?, now: Instant) -> Bool {
    guard let run else { return false }
    if now - run.begun.instant > Self.longMilliseconds || run.assignment.order.isSuspect { return true }
    // Another coordinator's jobs may be long from the first one on.
    guard links.count > 1 else { return false }
    return link(run.assignment.link)?.meanDuration ?? .infinity >= Self.pipelinedBelowMicroseconds
  }

  func attend(_ slot: HostSlot, now: Instant) {
    guard let host = slot.host else { return }
    host.flush()
    take(host.receive(), of: slot)
    forwardOutput(of: slot)
    enforceLimit(on: slot, now: now)
    if stage != .serving, slot.host != nil { slot.killIfOverdue(now: now) }
  }

  private func take(_ events: [HostEvent], of slot: HostSlot) {
    guard !events.isEmpty else { return }
    let (now, first) = (ClockReading(clocks), slot.runs.first?.serial)
    for event in events { handle(event, of: slot, now: now) }
    if slot.runs.first?.serial != first { slot.restartFirst(now) }
  }

  private func handle(_ event: HostEvent, of slot: HostSlot, now: ClockReading) {
    switch event {
    case .ready: slot.becameReady(now: now.instant)
    case .refused(let refusal):
      slot.refused(refusal.message)
      if refusal.kind == .cannotLoad { copy.doubt() }
    case .log(let token, let level, let message, let fields):
      tell(level, message, fields, of: assignment(token, in: slot))
    case .measured(let token, let found): note(found, of: assignment(token, in: slot))
    case .progress(let token, let fraction, let note):
      if let assignment = assignment(token, in: slot) { tell(fraction, note, of: assignment) }
    case .finished(let token, let result, let nanoseconds): finished(token, result, nanoseconds, slot, seen: now)
    case .malformed(let reason): logger.error("a PluginHost child sent nonsense: \(reason)")
    case .withdrawn(let token): if let run = slot.takeBack(token: token) { handBack(run.assignment) }
    case .closed: collect(slot, now: now.instant)
    case .setting, .hookFinished: break
    }
  }

  private func finished(
    _ token: UInt64, _ result: HostResult, _ claimed: UInt64, _ slot: HostSlot, seen: ClockReading
  ) {
    guard let (run, nanoseconds) = slot.finishRun(token: token, claimed: claimed, seen: seen) else { return }
    let microseconds = Int64(clamping: nanoseconds / 1_000)
    let link = link(run.assignment.link)
    if link?.noteDuration(microseconds: microseconds) == true { isCreditDue = true }
    let limit = link?.maximumInstructionsBytes ?? 4 << 20
    report(run, verdict(on: result, of: run, jobType: settings.jobType, limit: limit), microseconds, to: link)
  }

  /// The child is gone: the first run ended with it, those behind it did not begin.
  private func collect(_ slot: HostSlot, now: Instant) {
    let wasReady = slot.isReady
    guard let (exit, tail, runs) = slot.collect(now: now) else { return }
    // The loader itself crashes on a copy that was cut short.
    if !wasReady, exit.blamesPlugin { copy.doubt() }
    if let run = runs.first {
      let microseconds = Int64(clamping: (monotonicNanoseconds() - run.begun.nanoseconds) / 1_000)
      let verdict = verdict(on: exit, of: run, jobType: settings.jobType, standardErrorTail: tail)
      logger.warning("job \(run.assignment.order.job): PluginHost child \(exit.explanation); a new one takes its place")
      if verdict.outcome == .crashed { showLastWords(tail, of: run.assignment.order.job) }
      report(run, verdict, microseconds, to: link(run.assignment.link))
      if verdict.outcome == .crashed { noteCrash(exit, of: run.assignment.order.job) }
    } else if stage == .serving, slot.health.problem == nil {
      logger.warning("a PluginHost child without a job ended: \(exit.explanation)")
    }
    for run in runs.dropFirst().reversed() where run.ending == nil {
      if takesJobs, let link = link(run.assignment.link) {
        link.backlog.prepend(run.assignment)
      } else {
        handBack(run.assignment)
      }
    }
    if stage == .serving || links.contains(where: { !$0.backlog.isEmpty }) { startChildren(now: now) }
  }

  private func report(_ run: HostRun, _ verdict: RunVerdict, _ microseconds: Int64, to link: CoordinatorLink?) {
    switch verdict.outcome {
    case .succeeded: succeeded += 1
    case .handedBack, .lost, .cancelled: break
    case .failed, .permanentFailure, .retryRequested, .crashed, .timedOut: failed += 1
    }
    if verdict.outcome != .handedBack, verdict.outcome != .lost { jobsEnded += 1 }
    // Who has a coordinator alone is lent all there is, whatever its jobs take.
    if links.count > 1 { ledger.spent(Double(microseconds), by: run.assignment.link) }
    link?.outbox.add(
      AttemptReport(
        job: run.assignment.order.job, token: run.assignment.order.token, outcome: verdict.outcome,
        startedAt: run.begun.timestamp,
        durationMicroseconds: microseconds, hasInstructions: verdict.instructions != nil,
        retryAfterMilliseconds: verdict.retryAfterMilliseconds, plugin: plugin, error: verdict.error),
      instructions: verdict.instructions, pipeline: run.assignment.pipeline)
  }

  /// At the limit the phase is asked to stop; a second later its child is killed.
  private func enforceLimit(on slot: HostSlot, now: Instant) {
    slot.killIfOverdue(now: now)
    guard let run = slot.runs.first, run.ending == nil else { return }
    let limit = limit(of: run.assignment)
    guard limit > 0, now - run.begun.instant >= limit else { return }
    slot.end(.timeout, killAt: now + 1_000)
  }

  /// The shorter of the pipeline's limit and this worker's, in milliseconds; zero: none.
  private func limit(of assignment: Assignment) -> Int64 {
    let (pipelines, own) = (assignment.order.timeoutMilliseconds, settings.timeoutMilliseconds)
    return pipelines > 0 && own > 0 ? min(pipelines, own) : max(pipelines, own, 0)
  }

  // MARK: - Words of the plugin

  private func assignment(_ serial: UInt64, in slot: HostSlot) -> Assignment? {
    slot.runs.first { $0.serial == serial }?.assignment
  }

  /// What belongs to no job is told to all.
  private func tell(_ level: HostLogLevel, _ message: String, _ fields: [HostLogField], of assignment: Assignment?) {
    let job = assignment?.order.job
    var metadata: Logger.Metadata = ["phase": "\(settings.jobType)"]
    if let job { metadata["job"] = "\(job)" }
    if !fields.isEmpty { metadata["fields"] = .dictionary(fields.metadata) }
    logger.log(level: Logger.Level(level), "\(job.map { "job \($0): " } ?? "")\(message)", metadata: metadata)
    let line = LogLine(worker: id, job: job, level: LogLine.Level(level), text: fields.appended(to: message)).encoded()
    for link in links where link.isWelcome && assignment?.link ?? link.number == link.number { _ = link.send([line]) }
  }

  private func tell(_ fraction: Double, _ note: String, of assignment: Assignment) {
    let report = ProgressReport(
      worker: id, job: assignment.order.job, token: assignment.order.token, fraction: fraction,
      note: truncated(note, toBytes: 1_024))
    _ = link(assignment.link)?.send([report.encoded()])
  }

  /// Whoever reads the log of a worker need not ask a coordinator for the trace. At the level of debugging it is there already.
  private func showLastWords(_ tail: String, of job: JobID) {
    guard logger.logLevel > .debug else { return }
    for line in tail.split(separator: "\n").suffix(64) {
      logger.info("job \(job): stderr: \(truncated(String(line), toBytes: LogLine.maximumBytes))")
    }
  }

  /// What the plugin prints goes to the log for whoever debugs it; the end of it is kept with a crash anyhow.
  private func forwardOutput(of slot: HostSlot) {
    guard let host = slot.host, host.standardErrorIsOpen else { return }
    guard logger.logLevel <= .debug else { return host.drainStandardError() }
    for line in host.drainOutputLines().prefix(50) {
      logger.debug("plugin output: \(truncated(line, toBytes: LogLine.maximumBytes))")
    }
  }
}
