internal import DequeModule
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// A worker's connection to one coordinator, and all that it has of it. Nothing is queued while the connection is not up:
/// the outbox keeps what is unanswered, so a second queue behind it would only grow.
final class CoordinatorLink {
  /// Tells it from every other link of the worker, former ones included.
  let number: Int
  let address: String
  let socket: Socket
  let monitor: ConnectionMonitor
  private(set) var isUp = false
  private(set) var welcome: Welcome?
  /// Why the coordinator gives this worker nothing.
  var refusal: WorkerRefusal?
  var heardAt: Instant
  /// Where workers meet coordinators its address was heard last; nil: nowhere any more, since then.
  var lastSought: Instant?

  var backlog: Deque<Assignment> = []
  /// Jobs that were lost before; each waits for the coordinator's word.
  var held = HeldJobs()
  var outbox = Outbox()
  private(set) var pace = JobPace()

  init(_ address: String, number: Int, in context: SocketContext, now: Instant) throws(TransportError) {
    self.address = address
    self.number = number
    heardAt = now
    socket = try Socket(.dealer, in: context, lingerMilliseconds: 500)
    socket.queueOnlyWhileConnected()
    socket.setHeartbeat(intervalMilliseconds: 500, timeoutMilliseconds: 1_500)
    monitor = try ConnectionMonitor(of: socket, name: "coordinator-\(number)")
    try socket.connect(address)
  }

  var isWelcome: Bool { isUp && welcome != nil && refusal == nil }
  var isEmpty: Bool { backlog.isEmpty && held.isEmpty && outbox.isEmpty }
  var maximumInstructionsBytes: Int { welcome?.maximumInstructionsBytes ?? 4 << 20 }

  /// Reads what the monitor has to tell.
  /// - Returns: whether the connection came up or was lost.
  func followConnection(now: Instant) -> Bool {
    let events = monitor.events()
    guard let last = events.last else { return false }
    isUp = last == .connected
    // Whoever answers there now may be another one.
    (welcome, refusal) = (nil, nil)
    heardAt = now
    outbox.expire(now: now, all: true)
    return true
  }

  /// - Returns: whether this is another run of the coordinator than the one before.
  func meet(_ welcome: Welcome, formerly: String?, now: Instant) -> Bool {
    self.welcome = welcome
    refusal = nil
    guard formerly != welcome.coordinator else { return false }
    // Whatever the former coordinator did not answer concerns this one.
    outbox.expire(now: now, all: true)
    held.forgetAnswers()
    return true
  }

  func send(_ frames: [[UInt8]]) -> Bool { isUp && socket.send(frames) }

  var meanDuration: Double? { pace.meanDuration }
  var depth: Int { pace.depth }

  func noteDuration(microseconds: Int64) { pace.noteDuration(microseconds: microseconds) }
}
