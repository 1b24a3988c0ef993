internal import DequeModule
internal import HostProtocol
internal import HostSupervision
internal import PipelineModel

/// One place for a child, and the child in it. Replaces a child that ended; waits longer after each that would not
/// even start.
final class HostSlot {
  private let configuration: PluginHostConfiguration
  private(set) var host: PluginHost?
  private(set) var isReady = false
  /// What the child has; the first runs, the others wait in the child.
  private(set) var runs: Deque<Run> = []
  private var failedStarts = 0
  private var startAgainAt = Timestamp(milliseconds: 0)
  /// Why the last child did not start; nil once one did.
  private(set) var problem: String?

  init(_ configuration: PluginHostConfiguration) { self.configuration = configuration }

  /// Starts a child where there is none and its time has come.
  func startIfNeeded(now: Timestamp) {
    guard host == nil, now >= startAgainAt else { return }
    do throws(HostSpawnError) {
      host = try PluginHost(configuration)
    } catch {
      startFailed("\(error)", now: now)
    }
  }

  /// - Parameter limit: of the run, in milliseconds; zero: none. Told to the phase; the worker enforces it.
  func give(_ assignment: Assignment, limit: Int64, now: Timestamp) {
    guard let host else { return }
    runs.append(Run(assignment: assignment, startedAt: now, startedNanoseconds: monotonicNanoseconds()))
    host.run(
      HostJob(
        token: assignment.order.token.number, jobID: assignment.order.job.text, pipeline: assignment.pipeline,
        attempt: UInt32(clamping: assignment.order.attempt),
        deadlineUnixMilliseconds: limit > 0 ? (now + limit).milliseconds : 0,
        instructions: assignment.instructions))
  }

  func becameReady() {
    isReady = true
    failedStarts = 0
    problem = nil
  }

  func refused(_ reason: String) { problem = reason }

  /// The run whose result arrived. The next one in the child begins now.
  func finishRun(token: UInt64) -> Run? {
    guard runs.first?.token.number == token else { return nil }
    let run = runs.removeFirst()
    if !runs.isEmpty {
      runs[0].startedAt = .now()
      runs[0].startedNanoseconds = monotonicNanoseconds()
    }
    return run
  }

  /// Asks the first run to end, in order at first, by force at `killAt`.
  func end(_ ending: Run.Ending, killAt: Timestamp) {
    guard let run = runs.first, run.ending == nil else { return }
    runs[0].ending = ending
    runs[0].killAt = killAt
    host?.cancel(token: run.token.number)
  }

  /// Asks the child to pass over runs that have not begun.
  func cancelWaiting(_ tokens: Set<LeaseToken>) {
    for run in runs.dropFirst() where tokens.contains(run.token) { host?.cancel(token: run.token.number) }
  }

  func killIfOverdue(now: Timestamp) {
    guard let run = runs.first, run.ending != nil, let killAt = run.killAt, now >= killAt else { return }
    host?.kill()
  }

  /// Takes leave of a child whose channel has closed.
  /// - Returns: how it ended, its last words, and what it had.
  func collect(now: Timestamp) -> (exit: HostExit, tail: String, runs: Deque<Run>)? {
    guard let host else { return nil }
    let exit = host.finish()
    let tail = host.standardErrorTail()
    self.host = nil
    let had = runs
    runs = []
    if !isReady { startFailed(problem ?? exit.explanation, now: now) }
    isReady = false
    return (exit, tail, had)
  }

  private func startFailed(_ reason: String, now: Timestamp) {
    problem = reason
    failedStarts += 1
    startAgainAt = now + min(100 << Int64(min(failedStarts, 6)), 5_000)
  }
}
