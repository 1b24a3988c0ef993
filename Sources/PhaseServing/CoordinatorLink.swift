internal import DequeModule
internal import PipelineModel
internal import WireProtocol

/// All that a service has of one coordinator.
final class CoordinatorLink {
  let connection: CoordinatorConnection
  private(set) var welcome: Welcome?
  /// Why the coordinator gives this service nothing.
  var refusal: WorkerRefusal?
  /// The run of the coordinator that welcomed it last.
  private var formerRun: String?

  var backlog: Deque<Assignment> = []
  /// Jobs that were lost before; each waits for the coordinator's word.
  var held = HeldJobs()
  var outbox = Outbox()
  /// What its jobs have counted and measured and it was not told yet.
  var measures = PhaseMeasures()
  private(set) var pace = JobPace()

  init(_ connection: CoordinatorConnection) { self.connection = connection }

  var number: Int { connection.number }
  var address: String { connection.address }
  var isUp: Bool { connection.isUp }
  var isWelcome: Bool { isUp && welcome != nil && refusal == nil }
  var isEmpty: Bool { backlog.isEmpty && held.isEmpty && outbox.isEmpty }
  var maximumInstructionsBytes: Int { welcome?.maximumInstructionsBytes ?? 4 << 20 }

  func send(_ frames: [[UInt8]]) -> Bool { connection.send(frames) }

  /// The connection came up or was lost: whoever answers there now may be another one.
  func connectionChanged(now: Instant) {
    (welcome, refusal) = (nil, nil)
    outbox.expire(now: now, all: true)
  }

  /// - Returns: whether this is another run of the coordinator than the one before.
  func meet(_ welcome: Welcome, now: Instant) -> Bool {
    self.welcome = welcome
    refusal = nil
    guard formerRun != welcome.coordinator else { return false }
    formerRun = welcome.coordinator
    // Whatever the former coordinator did not answer concerns this one.
    outbox.expire(now: now, all: true)
    held.forgetAnswers()
    return true
  }

  // MARK: - How long its jobs take

  var meanDuration: Double? { pace.meanDuration }
  /// Jobs per slot that it is worth to have here.
  /// - Parameter isShared: there are other coordinators, whose jobs would take a slot that has none.
  func depth(isShared: Bool) -> Int { isShared ? pace.sharedDepth : pace.depth }

  /// - Returns: whether another number of jobs is worth to have here now.
  func noteDuration(microseconds: Int64) -> Bool {
    let former = (pace.depth, pace.sharedDepth)
    pace.noteDuration(microseconds: microseconds)
    return (pace.depth, pace.sharedDepth) != former
  }
}
