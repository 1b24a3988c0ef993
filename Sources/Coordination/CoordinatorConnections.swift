internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The coordinator's two sockets and the peers at them: who is there, what they were answered and have not read, what of
/// theirs could not be understood. Used by the coordinator's thread alone.
///
/// Everything that a stranger can make grow is bounded here (docs/architecture.md, "What others can make grow"): a message,
/// messages that do not end, answers that nobody reads, connections.
final class CoordinatorConnections {
  /// As bound, with the port where the setting left it open.
  let meetingAddress: String
  let intakeAddress: String
  /// All frames of one message at the intake, in bytes: what is more is read and forgotten, and the message refused.
  let maximumMessageBytes: Int
  private let context: SocketContext
  /// Where workers look for this coordinator.
  private let meeting: Socket
  private let intake: Socket
  private let meetingMonitor: PeerMonitor
  private let intakeMonitor: PeerMonitor
  private var intakePeers = PeerTable()
  private var meetingPeers = PeerTable()
  private var unread = UnreadAnswers()
  private var malformed = MalformedMessages()
  private var endedForDescriptors = RepeatedRemark()
  private let logger: Logger

  /// One message where workers look for coordinators, in bytes.
  private static let maximumMeetingBytes = 1 << 20

  /// Binds both sockets.
  init(_ settings: PipelineServerSettings) throws(TransportError) {
    logger = settings.logger
    maximumMessageBytes = max(64 << 20, settings.maximumInstructionsBytes + (1 << 20))
    context = try SocketContext()
    meeting = try Socket(.subscribe, in: context, maximumMessageBytes: Int64(Self.maximumMeetingBytes))
    meetingMonitor = try PeerMonitor(of: meeting, name: "meeting")
    meetingAddress = try meeting.bind(settings.eventsAddress)
    for forwarder in settings.forwarders { try meeting.connect(forwarder) }
    // A peer's messages wait in its connection rather than here, beyond a few.
    intake = try Socket(
      .router, in: context, receiveHighWaterMark: 100,
      maximumMessageBytes: Int64(settings.maximumInstructionsBytes) + 65_536, lingerMilliseconds: 500)
    intakeMonitor = try PeerMonitor(of: intake, name: "intake")
    intakeAddress = try intake.bind(settings.intakeAddress)
    meeting.subscribe(to: MeetingTopic.topic(for: settings.advertisedIntakeAddress ?? intakeAddress))
    meeting.subscribe(to: MeetingTopic.olderEvents)
  }

  /// The messages that could not be understood since the start.
  var malformedMessages: Int { malformed.total }

  // MARK: - Waiting

  /// What a poller calls what it watches here; 0 is its owner's.
  enum Watched: Int {
    case meeting = 1
    case intake
    case intakePeers
    case meetingPeers
  }

  func watchMeeting(with poller: Poller) {
    poller.add(meeting, as: Watched.meeting.rawValue)
    poller.add(meetingMonitor.socket, as: Watched.meetingPeers.rawValue)
    poller.add(intakeMonitor.socket, as: Watched.intakePeers.rawValue)
  }

  func watchIntake(with poller: Poller) { poller.add(intake, as: Watched.intake.rawValue) }

  // MARK: - What comes in

  struct Delivery {
    var route: [UInt8]
    /// Without the route; a hostile peer's may have no frame at all.
    var message: Socket.Message
    /// A peer of which this message shows that it has gone.
    var gone: [UInt8]?
  }

  /// The next message at the intake; nil where there is none for now.
  func receive() -> Delivery? {
    guard var message = intake.receiveMessage(maximumBytes: maximumMessageBytes) else { return nil }
    let route = message.frames.isEmpty ? [] : message.frames.removeFirst()
    let gone = intakePeers.heard(
      from: route, on: message.descriptor, bytes: message.bytes, frames: message.frames.count)
    return Delivery(route: route, message: message, gone: gone)
  }

  /// Where workers look for coordinators nothing is said any more: only those of protocol 1 publish there.
  /// - Parameter limit: messages.
  func readMeeting(limit: Int) {
    for _ in 0..<limit {
      guard let message = meeting.receiveMessage(maximumBytes: 2 * Self.maximumMeetingBytes) else { return }
      _ = meetingPeers.heard(from: nil, on: message.descriptor, bytes: message.bytes, frames: message.frames.count)
      do throws(WireError) {
        _ = try Prologue.kind(of: message.frames.first ?? [])
      } catch {
        complain(source: "a worker", error)
      }
    }
  }

  /// Counts a message that could not be understood, and says so the first time.
  func complain(source: String, _ error: WireError) {
    if malformed.note(source: source, problem: error.message) {
      logger.warning("ignored a message from \(source): \(error.message)")
    }
  }

  // MARK: - What goes out

  /// What the coordinator's own affairs need said, whatever waits for the peer.
  /// - Returns: false where the peer is gone, or so many messages wait for it that this was not sent.
  @discardableResult
  func send(_ frames: [[UInt8]], to route: [UInt8]) -> Bool { intake.send([route] + frames) }

  /// An answer to what the peer has asked.
  /// - Returns: false where so much waits for the peer, or for all peers, that this was not sent.
  func answer(_ frames: [[UInt8]], to route: [UInt8]) -> Bool {
    let bytes = frames.reduce(0) { $0 + $1.count }
    if bytes >= UnreadAnswers.worthCounting {
      guard unread.hasRoom(for: bytes, at: route, acknowledged: acknowledged(by:)) else { return false }
      unread.note(bytes, to: route, acknowledged: acknowledged(by: route))
    }
    send(frames, to: route)
    return true
  }

  /// For what cannot be asked for again: a peer that leaves it unread as well is shown out.
  func answerOrEnd(_ frames: [[UInt8]], to route: [UInt8]) {
    guard !answer(frames, to: route), let descriptor = intakePeers.descriptor(of: route) else { return }
    complain(source: "an intake peer", WireError("it does not read its answers; its connection is ended"))
    PeerMonitor.end(descriptor)
  }

  /// Says once that a worker gets no jobs, and why.
  func refuse(_ worker: WorkerID, at route: [UInt8], _ reason: WorkerRefusal.Reason, _ message: String) {
    send([WorkerRefusal(worker: worker, reason: reason, message: message).encoded()], to: route)
    if malformed.note(source: worker.text, problem: message) {
      logger.warning("worker \(worker) gets no jobs: \(message)")
    }
  }

  private func acknowledged(by route: [UInt8]) -> UInt64? {
    intakePeers.descriptor(of: route).flatMap { PeerMonitor.bytesAcknowledged(on: $0) }
  }

  // MARK: - Peers that come and go

  /// Called after the messages were read: see `PeerTable`.
  /// - Returns: the routes of those that are gone from the intake.
  func readPeers(now: Instant) -> [[UInt8]] {
    let (intake, meeting) = (intakeMonitor.events(), meetingMonitor.events())
    let gone = intakePeers.update(intake.map { ($0.descriptor, $0.isUp) })
    _ = meetingPeers.update(meeting.map { ($0.descriptor, $0.isUp) })
    if (intake + meeting).contains(where: \.isUp) { keepDescriptorsFree(now: now) }
    return gone
  }

  /// Nobody reads there any more.
  func forget(_ route: [UInt8]) { unread.drop(route) }

  /// Whoever connects costs a descriptor, and a process without any cannot go on.
  func keepDescriptorsFree(now: Instant) {
    let excess = DescriptorLimit.excess()
    guard excess > 0 else { return }
    let ofIntake = intakePeers.chooseToEnd(excess)
    let chosen = ofIntake + meetingPeers.chooseToEnd(excess - ofIntake.count)
    guard !chosen.isEmpty else { return }
    for descriptor in chosen { PeerMonitor.end(descriptor) }
    guard let times = endedForDescriptors.note(now: now) else { return }
    logger.error(
      "too many connections: \(chosen.count) are ended, and \(times - 1) times some before; raise the limit of open files"
    )
  }

  /// libzmq keeps the parts of a message until its last one has come, however many there are: a peer whose message has
  /// grown beyond all bounds is shown out.
  func endOverfullPeers() {
    end(&intakePeers, beyond: 2 * maximumMessageBytes, of: "an intake peer")
    end(&meetingPeers, beyond: 16 * Self.maximumMeetingBytes, of: "an event publisher")
  }

  /// - Parameter limit: in bytes, of one connection; all together may have eight times as much.
  private func end(_ peers: inout PeerTable, beyond limit: Int, of source: String) {
    var received: [Int32: UInt64] = [:]
    for descriptor in peers.descriptors { received[descriptor] = PeerMonitor.bytesReceived(on: descriptor) }
    for (descriptor, bytes) in peers.overfull(received: received, beyond: UInt64(limit)) {
      complain(source: source, WireError("messages that do not end, of \(bytes >> 20) MiB; its connection is ended"))
      PeerMonitor.end(descriptor)
    }
  }
}
