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
  /// Moving average of a run's length in microseconds; short runs are given to a child several at a time.
  private(set) var meanDuration: Double?
  /// Jobs per slot that it is worth to have here.
  private(set) var depth = 1

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

  /// Above this a phase is not fetched ahead at all, in microseconds; and this much work may wait for each slot.
  private static let aheadMicroseconds = 20_000.0
  /// Jobs that may wait for each slot, however short they are.
  private static let mostAhead = 63

  func noteDuration(microseconds: Int64) {
    let mean = meanDuration.map { $0 * 0.9 + Double(microseconds) * 0.1 } ?? Double(microseconds)
    meanDuration = mean
    let wanted =
      mean >= Self.aheadMicroseconds ? 1 : 1 + min(Int(Self.aheadMicroseconds / max(mean, 1)), Self.mostAhead)
    // Each change is told to the coordinator: small ones are not worth it.
    if wanted == 1 || wanted > depth + depth / 2 || wanted < depth - depth / 3 { depth = wanted }
  }
}
