internal import Glibc
internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What workers say, and what is done about it.
extension Coordinator {
  /// At most this many messages of one socket before the other work of a turn is done.
  static var messagesPerTurn: Int { 1_000 }

  func readEvents(now: Moment) {
    for _ in 0..<Self.messagesPerTurn {
      guard let message = events.receiveMessage(maximumBytes: 2 * Self.maximumEventBytes) else { return }
      _ = eventPeers.heard(from: nil, on: message.descriptor, bytes: message.bytes, frames: message.frames.count)
      do throws(WireError) {
        guard message.frames.count == 1, !message.isCut else {
          throw WireError("an event of \(message.frames.count) frames; it has one")
        }
        try handleEvent(message.frames[0], now: now)
      } catch {
        complain(source: "an event publisher", error)
      }
    }
  }

  private func handleEvent(_ frame: [UInt8], now: Moment) throws(WireError) {
    switch try Prologue.kind(of: frame) {
    case .announcement:
      carryOut(roster.observe(try Announcement(decoding: frame), now: now.instant), now: now)
    case .goodbye: farewell(try Goodbye(decoding: frame), now: now)
    case .progress: note(try ProgressReport(decoding: frame))
    case .log: note(try LogLine(decoding: frame), now: now)
    case let other: throw WireError("a \(other) where events are published")
    }
  }

  func complain(source: String, _ error: WireError) {
    if complaints.note(source: source, problem: error.message) {
      logger.warning("ignored a message from \(source): \(error.message)")
    }
  }

  private func farewell(_ goodbye: Goodbye, now: Moment) {
    carryOut(roster.lose(goodbye.worker, reason: goodbye.reason, isLoss: false), now: now)
  }

  private func note(_ report: ProgressReport) {
    guard roster.flights[report.token]?.job == report.job else { return }
    progress[report.job] = (report.fraction, report.note)
    if let progressed = settings.hooks.jobProgressed {
      hooks.call(bytes: report.note.utf8.count, isPassing: true) { _ in
        progressed(report.job, report.fraction, report.note)
      }
    }
  }

  func carryOut(_ actions: [WorkerRoster.Action], now: Moment) {
    for action in actions {
      switch action {
      case .connect(let worker, let address): connect(worker, to: address, now: now)
      case .disconnect(let worker): disconnect(worker)
      case .release(let tokens, let lost): release(tokens, now: now, lost: lost)
      // Before the store has said which leases there are, every one of them looks unknown.
      case .cancel(let worker, let tokens): if wasOpen { order(worker, tokens, .cancel) }
      case .recall(let worker, let tokens): order(worker, tokens, .recall)
      case .foreign(let worker, let jobType):
        logger.warning("worker \(worker) offers '\(jobType)', which is no phase of \(pipeline.name); it gets no jobs")
      case .lost(let worker, let reason): logger.notice("worker \(worker) is gone: \(reason)")
      // Said once it is connected; one that cannot be is told of in other words.
      case .arrived: break
      case .unreachable(let worker): tellUnreachable(worker)
      }
    }
  }

  private func tellArrival(_ worker: WorkerID) {
    guard let entry = roster.workers[worker] else { return }
    logger.info(
      "worker \(worker) serves \(entry.announcement.jobType) with \(entry.announcement.concurrency) at a time")
  }

  private func tellUnreachable(_ worker: WorkerID) {
    guard let entry = roster.workers[worker] else { return }
    logger.warning("worker \(worker) on \(entry.announcement.host) gets no jobs: \(entry.reason)")
  }

  private func order(_ worker: WorkerID, _ tokens: [LeaseToken], _ kind: MessageKind) {
    _ = links[worker]?.orders.send([LeaseOrder(worker: worker, tokens: tokens).encoded(as: kind)])
  }

  func drain(_ worker: WorkerID) -> Bool {
    links[worker]?.orders.send([DrainOrder(worker: worker).encoded()]) ?? false
  }

  private func connect(_ worker: WorkerID, to address: String, now: Moment) {
    if address.hasPrefix("inproc://") {
      return cannotConnect(worker, "inproc:// reaches no other process", now: now)
    }
    guard NameLookup.name(in: address) == nil else {
      unresolved[worker] = address
      return followNames(now: now)
    }
    open(address, of: worker, now: now)
  }

  /// Connects to those whose names are known by now.
  func followNames(now: Moment) {
    for (worker, address) in unresolved {
      guard let host = NameLookup.name(in: address), let port = parsePort(address) else { continue }
      switch names.answer(for: host, now: now.instant) {
      case .pending: roster.note("its name is still being looked up", of: worker)
      case .unknown(let reason): cannotConnect(worker, reason, now: now)
      case .number(let number):
        unresolved[worker] = nil
        roster.note(nil, of: worker)
        open("tcp://\(number.contains(":") ? "[\(number)]" : number):\(port)", of: worker, now: now)
      }
    }
  }

  private func cannotConnect(_ worker: WorkerID, _ problem: String, now: Moment) {
    roster.note(problem, of: worker)
    carryOut(roster.cannotConnect(worker), now: now)
  }

  private func open(_ address: String, of worker: WorkerID, now: Moment) {
    do throws(TransportError) {
      try link(worker, to: address)
      tellArrival(worker)
    } catch {
      guard error.code == EMFILE || error.code == ENFILE else {
        return cannotConnect(worker, String(cString: strerror(error.code)), now: now)
      }
      // It announces itself again in a second.
      _ = roster.lose(worker, reason: error.message, isLoss: false)
      guard let times = refusedLinks.note(now: now.instant) else { return }
      logger.error(
        "worker \(worker) is not served, as were \(times - 1) before: \(error.message); raise the limit of open files")
    }
  }

  private func link(_ worker: WorkerID, to address: String) throws(TransportError) {
    guard DescriptorLimit.excess() == 0 else {
      throw TransportError(code: EMFILE, message: "too many files are open")
    }
    let orders = try Socket(.push, in: context, lingerMilliseconds: 100)
    let monitor = try ConnectionMonitor(of: orders, name: "\(name)-\(linksMade)")
    try orders.connect(address)
    disconnect(worker)
    links[worker] = Link(orders: orders, monitor: monitor, key: watch(monitor, of: worker))
    let welcome = Welcome(
      worker: worker, coordinator: name, pipeline: pipeline.name,
      resultsAddress: settings.advertisedIntakeAddress ?? intakeAddress,
      maximumInstructionsBytes: settings.maximumInstructionsBytes)
    _ = orders.send([welcome.encoded()])
  }

  private func disconnect(_ worker: WorkerID) {
    unresolved[worker] = nil
    guard let link = links.removeValue(forKey: worker) else { return }
    unwatch(link)
  }
}
