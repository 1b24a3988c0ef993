internal import Dispatch
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// Whether this worker can run anything, and what it says about that.
extension Worker {
  var takesJobs: Bool { stage == .serving && quarantine == nil && service.state == .serving }

  /// Starts a child in each slot that has none, once there is something to load.
  func startChildren(now: Instant) {
    let empty = slots.filter { $0.wantsStart(now: now) }
    guard !empty.isEmpty else { return }
    guard copy.isThere(now: now) else {
      if let problem = copy.problem { for slot in empty { slot.cannotStart(problem, now: now) } }
      return
    }
    for slot in empty { slot.start(now: now) }
  }

  /// Looks at the slots anew. Where none can run anything, all that waits is handed back, so that another worker has it.
  func judgeService(now: Instant) {
    let present = ServiceState(
      slots: slots.lazy.map { $0.health.standing(now: now) }, isServing: stage == .serving,
      quarantine: quarantine.map { "build \(plugin) \($0.reason); carbontube plugins release \(plugin)" })
    defer { remark(on: present, now: now) }
    guard present != service else { return }
    service = present
    // The coordinator must hear of it before it gives the next job.
    helloAt = now
    isCreditDue = true
    if present.state == .impaired || present.state == .starting { giveBackWaiting() }
  }

  private func remark(on present: ServiceState, now: Instant) {
    // Quarantine has lines of its own, and a drain is no trouble.
    guard stage == .serving, quarantine == nil else { return }
    if present.reason.isEmpty {
      if trouble.end() { logger.notice("\(settings.jobType): all children are ready again") }
    } else if present.state != .starting, trouble.isDue(present.reason, now: now) {
      let effect =
        present.state == .impaired ? "runs no jobs, and hands back what it gets" : "runs fewer jobs at a time"
      logger.warning("\(settings.jobType): \(effect), trying again: \(pluginFile): \(present.reason)")
    }
  }

  func remarkOnSilence(now: Instant) {
    guard stage == .serving else { return }
    for point in meetingPoints {
      let isHeard = !point.coordinators.isEmpty
      let isServed = links.contains { link in
        link.isWelcome && point.coordinators.contains { (otherNames[$0] ?? $0) == link.address }
      }
      guard let kind = point.silence.look(isHeard: isHeard, isWelcome: isServed, now: now) else {
        _ = point.remark.end()
        continue
      }
      let text = words(for: kind, at: point)
      guard point.remark.isDue(text, now: now) else { continue }
      if kind == .nobody && !point.hasOlderProtocol { explain(text, point.address) } else { logger.warning("\(text)") }
    }
  }

  private func words(for kind: CoordinatorSilence.Kind, at point: MeetingPoint) -> String {
    switch kind {
    case .nobody where point.hasOlderProtocol:
      return "the coordinator at \(point.address) speaks protocol 1, this worker protocol 2: upgrade the coordinator"
    case .nobody: return "no coordinator heard at \(point.address), still trying"
    case .noWelcome:
      let refusal = links.lazy.compactMap { link in
        point.coordinators.contains(link.address) ? link.refusal?.message : nil
      }.first
      if let refusal {
        return "no pipeline at \(point.address) has taken this worker for '\(settings.jobType)': \(refusal)"
      }
      let addresses = point.coordinators.sorted().joined(separator: ", ")
      return
        "heard of a coordinator at \(addresses) by way of \(point.address), and cannot reach it there: --job-pull of the "
        + "pipeline must be reachable from this machine, or its --advertise name the address that is"
    }
  }

  /// On a thread of its own, since the loop does not wait for name servers.
  private func explain(_ text: String, _ address: String) {
    let logger = logger
    DispatchQueue.global().async {
      let finding = ListenerProbe.look(at: address, withinMilliseconds: 1_000)
      let reason = finding.map { ": \($0.reason(expecting: "SUB"))" } ?? ""
      logger.warning("\(text)\(reason) (is it the pipeline's --sub-bind address?)")
    }
  }
}
