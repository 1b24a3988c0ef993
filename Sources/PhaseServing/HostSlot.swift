internal import DequeModule
internal import HostProtocol
internal import HostSupervision
internal import PipelineModel
internal import WireProtocol

/// One place for a child, and the child in it. Replaces a child that ended; waits longer after each that would not
/// even start.
final class HostSlot {
  private let configuration: PluginHostConfiguration
  private(set) var host: PluginHost?
  private(set) var health: ChildHealth
  /// What the child has; the first runs, the others wait in the child.
  private(set) var runs: Deque<HostRun> = []

  init(_ configuration: PluginHostConfiguration, readyWithin: Int64) {
    self.configuration = configuration
    health = ChildHealth(readyWithin: readyWithin)
  }

  var isReady: Bool { health.isReady }
  var isIdle: Bool { health.isReady && runs.isEmpty }

  /// There is no child, and it is time for one.
  func wantsStart(now: Instant) -> Bool { host == nil && health.mayStart(now: now) }

  func start(now: Instant) {
    do throws(HostSpawnError) {
      host = try PluginHost(configuration)
      health.started(now: now)
    } catch {
      health.startFailed("\(error)", now: now)
    }
  }

  /// What a child needs is not there.
  func cannotStart(_ reason: String, now: Instant) { health.startFailed(reason, now: now) }

  /// It reaches the child with `flush`: a system call for each job would cost more than all the rest of giving it.
  /// - Parameter limit: of the run, in milliseconds; zero: none. Told to the phase; the worker enforces it.
  func give(_ assignment: Assignment, limit: Int64, at now: ClockReading) {
    guard let host else { return }
    runs.append(HostRun(assignment: assignment, begun: now))
    host.queue(
      HostJob(
        token: assignment.serial, jobID: assignment.order.job.text, pipeline: assignment.pipeline,
        attempt: UInt32(clamping: assignment.order.attempt),
        deadlineUnixMilliseconds: limit > 0 ? (now.timestamp + limit).milliseconds : 0,
        instructions: assignment.instructions))
  }

  func flush() { host?.flush() }

  func becameReady(now: Instant) { health.becameReady(now: now) }

  func refused(_ reason: String) { health.refused(reason) }

  /// The run whose result arrived, and how long it took. The next one in the child began when it ended, which may have been
  /// long before: results of many arrive at a time.
  /// - Parameter claimed: nanoseconds that it took, as the child measured them. What this worker sees takes longer where
  ///   processes wait for a processor, which says nothing about the phase; but a plugin can write to the channel as well.
  func finishRun(token: UInt64, claimed: UInt64, seen: ClockReading) -> (run: HostRun, nanoseconds: UInt64)? {
    guard runs.first?.serial == token else { return nil }
    let run = runs.removeFirst()
    let begun = run.begun.nanoseconds
    let nanoseconds = min(claimed, max(begun, seen.nanoseconds) - begun)
    if !runs.isEmpty { runs[0].begun = seen.at(begun + nanoseconds) }
    return (run, nanoseconds)
  }

  /// The limit of the run that is the first by now counts from here: for all that is known it has only just begun.
  func restartFirst(_ now: ClockReading) {
    if !runs.isEmpty { runs[0].begun = now }
  }

  /// The child has given back a run that had not begun.
  func takeBack(token: UInt64) -> HostRun? {
    guard let index = runs.firstIndex(where: { $0.serial == token }) else { return nil }
    return runs.remove(at: index)
  }

  /// Asks the first run to end, in order at first, by force at `killAt`.
  func end(_ ending: HostRun.Ending, killAt: Instant) {
    guard let run = runs.first, run.ending == nil else { return }
    runs[0].ending = ending
    runs[0].killAt = killAt
    host?.cancel(token: run.serial)
  }

  /// Asks the child for runs that have not begun: those that are wanted back.
  func withdrawWaiting(where isWanted: (Assignment) -> Bool = { _ in true }) {
    for run in runs.dropFirst() where isWanted(run.assignment) { host?.withdraw(token: run.serial) }
  }

  /// Nobody waits for these. One that has begun meanwhile is asked to end, and killed where it does not.
  func cancel(killAt: Instant, where isGiven: (Assignment) -> Bool) {
    withdrawWaiting(where: isGiven)
    for index in runs.indices where isGiven(runs[index].assignment) && runs[index].ending == nil {
      runs[index].ending = .cancelled
      runs[index].killAt = killAt
      host?.cancel(token: runs[index].serial)
    }
  }

  func killIfOverdue(now: Instant) {
    if health.isOverdue(now: now) {
      health.gaveUp()
      host?.kill()
    }
    guard let run = runs.first, run.ending != nil, let killAt = run.killAt, now >= killAt else { return }
    host?.kill()
  }

  /// Lets go of a child that has ended, without looking at how it did.
  /// - Returns: whether there is none any more.
  func isRid() -> Bool {
    if host?.reap() != nil { host = nil }
    return host == nil
  }

  /// Takes leave of a child whose channel has closed.
  /// - Returns: how it ended, its last words, and what it had.
  func collect(now: Instant) -> (exit: HostExit, tail: String, runs: Deque<HostRun>)? {
    guard let host else { return nil }
    let exit = host.finish()
    let tail = host.standardErrorTail()
    self.host = nil
    let had = runs
    runs = []
    let lastWords = firstLine(of: tail).map { "\(exit.explanation) (\($0))" } ?? exit.explanation
    health.ended(lastWords, hadJob: !had.isEmpty, now: now)
    return (exit, tail, had)
  }
}

/// Of what a child printed before its end; the first says why, what follows is a trace.
private func firstLine(of output: String) -> String? {
  output.split(whereSeparator: \.isNewline).first.map { truncated(String($0), toBytes: 300) }
}
