internal import HostProtocol
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// How a service hands back what it has, and ends.
extension PhaseService {
  func followDesiredState(now: Instant) {
    switch (control.desired, stage) {
    case (.drain, .serving): beginDraining(now: now)
    case (.stop, .serving), (.stop, .draining): handBackEverything(now: now)
    case (_, .draining(let until)) where now >= until:
      logger.warning("the time to drain is over: giving back what runs")
      handBackEverything(now: now)
    default: break
    }
  }

  func beginDraining(now: Instant) {
    guard stage == .serving else { return }
    logger.notice("draining: finishing what runs, taking nothing new")
    stage = .draining(until: now + settings.drainMilliseconds)
    handBackWaiting()
    helloAt = now
  }

  /// A worker that was started for so many jobs, or until there are none.
  func endIfDone(now: Instant) {
    guard oneOff.endsByItself, stage == .serving else { return }
    let hasNothing = slots.allSatisfy { $0.runs.isEmpty } && links.allSatisfy { $0.backlog.isEmpty && $0.held.isEmpty }
    let served = links.filter(\.isWelcome)
    let canBeGiven = takesJobs && !served.isEmpty && served.allSatisfy { ledger.waiting(for: $0.number) == 0 }
    let reason = oneOff.reason(ended: jobsEnded, hasNothing: hasNothing, canBeGiven: canBeGiven, now: now)
    guard let reason else { return }
    logger.notice("\(settings.jobType): ran \(jobsEnded) jobs, \(reason)")
    beginDraining(now: now)
  }

  /// All that has not begun: here at once, in the children as soon as they say that it did not begin.
  func handBackWaiting() {
    for link in links {
      while let assignment = link.backlog.popFirst() { handBack(assignment) }
      for assignment in link.held.remove() { handBack(assignment) }
    }
    for slot in slots { slot.withdrawWaiting() }
  }

  func handBack(_ assignment: Assignment) {
    link(assignment.link)?.outbox.add(
      AttemptReport(
        job: assignment.order.job, token: assignment.order.token, outcome: .handedBack,
        startedAt: Timestamp(milliseconds: 0), durationMicroseconds: 0, hasInstructions: false, plugin: plugin),
      instructions: nil, pipeline: assignment.pipeline)
  }

  private func handBackEverything(now: Instant) {
    stage = .leaving(by: now + 2_000)
    handBackWaiting()
    for slot in slots {
      slot.end(.handBack, killAt: now)
      slot.killIfOverdue(now: now)
    }
    helloAt = now
  }

  func isDone(now: Instant) -> Bool {
    switch stage {
    case .serving: false
    case .draining: isIdle
    case .leaving(let by): isIdle || now >= by
    case .ended: false
    }
  }

  /// Coordinators forget it at once; what it began outlasts it by a moment.
  func end() {
    stage = .ended
    sayGoodbye()
    if !measures.isEmpty { logger.info("counted and measured: \(measures.all.map(\.words).joined(separator: ", "))") }
    links = []
    for slot in slots { slot.host?.kill() }
  }

  /// Nothing of it is left: no child, and no copy being made. Others are served meanwhile, so nothing is waited for.
  func isGone() -> Bool {
    let running = slots.count { !$0.isRid() }
    return running == 0 && copy.isAtRest()
  }

  private var isIdle: Bool {
    links.allSatisfy(\.isEmpty) && slots.allSatisfy { $0.runs.isEmpty }
  }
}
