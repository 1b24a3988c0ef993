internal import Logging
internal import PipelineModel
internal import WireProtocol

/// Whether a service can run anything, and what it says about that.
extension PhaseService {
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
    if present.state == .impaired || present.state == .starting { handBackWaiting() }
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
}
