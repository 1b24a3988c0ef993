internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What workers say, and what is done about it.
extension Coordinator {
  // MARK: - What they say

  /// A worker hears something twice a second, so that a machine that is cut off is missed within 2 s. The kernel counts from
  /// when it has sent again for the first time, so that 1 to 1.2 s pass.
  private static var acknowledgedWithinMilliseconds: UInt32 { 700 }

  func handleHello(
    _ frames: [[UInt8]], from route: [UInt8], on descriptor: Int32, now: Moment
  ) throws(WireError) {
    let hello = try Hello(decoding: try Self.single(frames))
    if !roster.knows(hello.worker, at: route) {
      PeerMonitor.limitSilence(on: descriptor, milliseconds: Self.acknowledgedWithinMilliseconds)
    }
    perform(roster.observe(hello, from: route, now: now.instant), now: now)
    if roster.owesCredits { demand.expect() }
  }

  func handleCredit(_ frames: [[UInt8]], from route: [UInt8]) throws(WireError) {
    // One that is not known says hello again within a second.
    _ = roster.observe(try CreditMessage(decoding: try Self.single(frames)), from: route)
    if roster.owesCredits { demand.expect() }
  }

  func handleGoodbye(_ frames: [[UInt8]], from route: [UInt8], now: Moment) throws(WireError) {
    let goodbye = try Goodbye(decoding: try Self.single(frames))
    guard roster.knows(goodbye.worker, at: route) else { return }
    perform(roster.lose(goodbye.worker, reason: goodbye.reason, isLoss: false), now: now)
  }

  func handleProgress(_ frames: [[UInt8]]) throws(WireError) {
    let report = try ProgressReport(decoding: try Self.single(frames))
    guard roster.leases[report.token]?.job == report.job else { return }
    journal.noteProgress((report.fraction, report.note), of: report.job)
    if let progressed = settings.hooks.jobProgressed {
      hooks.call(bytes: report.note.utf8.count, isPassing: true) { _ in
        progressed(report.job, report.fraction, report.note)
      }
    }
  }

  func handleLog(_ frames: [[UInt8]], now: Moment) throws(WireError) {
    noteLog(try LogLine(decoding: try Self.single(frames)), now: now)
  }

  private static func single(_ frames: [[UInt8]]) throws(WireError) -> [UInt8] {
    guard frames.count == 1 else { throw WireError("\(frames.count) frames where there is one") }
    return frames[0]
  }

  // MARK: - What is done

  func perform(_ actions: [WorkerRoster.Action], now: Moment) {
    for action in actions {
      switch action {
      case .welcome(let worker): welcome(worker)
      case .refuse(let worker, let route, let reason, let message):
        connections.refuse(worker, at: route, reason, message)
      case .release(let tokens, let lost): release(tokens, now: now, lost: lost)
      // Before the store has said which leases there are, every one of them looks unknown.
      case .cancel(let worker, let tokens): if health.wasOpen { order(worker, tokens, .cancel) }
      case .recall(let worker, let tokens): order(worker, tokens, .recall)
      case .lost(let worker, let reason): logger.notice("worker \(worker) is gone: \(reason)")
      case .arrived(let worker): tellArrival(worker)
      }
    }
  }

  private func tellArrival(_ worker: WorkerID) {
    guard let hello = roster.workers[worker]?.hello else { return }
    logger.info("worker \(worker) serves \(hello.jobType) with \(hello.concurrency) at a time")
  }

  private func welcome(_ worker: WorkerID) {
    let welcome = Welcome(
      worker: worker, coordinator: name, pipeline: pipeline.name,
      maximumInstructionsBytes: settings.maximumInstructionsBytes)
    _ = send([welcome.encoded()], to: worker)
  }

  /// - Returns: false where it is not connected, or so much waits for it that this was not sent.
  func send(_ frames: [[UInt8]], to worker: WorkerID) -> Bool {
    guard let entry = roster.workers[worker], entry.connection == .up else { return false }
    if connections.send(frames, to: entry.route) { return true }
    roster.couldNotSend(to: worker)
    return false
  }

  private func order(_ worker: WorkerID, _ tokens: [LeaseToken], _ kind: MessageKind) {
    for chunk in tokens.chunks(of: Hello.maximumInFlight) {
      _ = send([LeaseOrder(worker: worker, tokens: chunk).encoded(as: kind)], to: worker)
    }
  }

  func drain(_ worker: WorkerID) -> Bool { send([DrainOrder(worker: worker).encoded()], to: worker) }

  // MARK: - Demand

  /// Tells workers what waits for them: each now and then, those that are shared when it changes.
  /// - Parameter isTick: looks at all of them.
  func tellDemand(now: Moment, isTick: Bool = false) {
    guard isTick || demand.mayBeDue(hasShared: roster.hasShared) else { return }
    let waiting = jobsToPlace()
    guard demand.take(waiting: waiting, isTick: isTick) else { return }
    for demand in roster.demands(waiting: waiting, all: isTick, now: now.instant) {
      _ = send([demand.encoded()], to: demand.worker)
    }
  }

  /// Of each phase, what could go out if there were a slot for it.
  private func jobsToPlace() -> [Int] {
    guard !turns.paused.pipeline, allowance ?? 1 > 0, isOpen else {
      return Array(repeating: 0, count: pipeline.phases.count)
    }
    return pipeline.phases.indices.map { phase in
      let limit = pipeline.phases[phase].concurrencyLimit
      guard !turns.paused.phases.contains(phase), limit == 0 || roster.running[phase] < limit else { return 0 }
      return turns.queued[phase] + roster.parked[phase].count
    }
  }
}
