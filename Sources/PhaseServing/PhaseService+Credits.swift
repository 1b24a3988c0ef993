internal import PipelineModel
internal import WireProtocol

/// What a worker lends to its coordinators, and what it sends them.
extension PhaseService {
  /// Tells each coordinator how many jobs it may have here, where that changes.
  func lendSlots(now: Instant) {
    guard isCreditDue || links.count > 1 else { return }
    isCreditDue = false
    let able = takesJobs ? service.slots : 0
    let loads = self.loads
    for number in ledger.decide(slots: able, loads: loads, now: now) {
      guard let link = links.first(where: { $0.number == number }) else { continue }
      _ = link.send([CreditMessage(worker: id, credit: ledger.credit(of: number)).encoded()])
    }
    giveBackSurplus(loads)
  }

  private var loads: [CreditLedger.Borrower: CreditLedger.Load] {
    var loads: [CreditLedger.Borrower: CreditLedger.Load] = [:]
    for link in links {
      loads[link.number] = CreditLedger.Load(
        held: link.backlog.count + link.held.tokens.count, depth: link.depth(isShared: links.count > 1))
    }
    for slot in slots { for run in slot.runs { loads[run.assignment.link]?.held += 1 } }
    return loads
  }

  /// Jobs that wait here beyond what their coordinator may have now would keep slots from others.
  private func giveBackSurplus(_ loads: [CreditLedger.Borrower: CreditLedger.Load]) {
    guard links.count > 1 else { return }
    for link in links {
      var surplus = (loads[link.number]?.held ?? 0) - ledger.credit(of: link.number).jobs
      while surplus > 0, let assignment = link.backlog.popLast() {
        handBack(assignment)
        surplus -= 1
      }
    }
  }

  func link(_ number: Int) -> CoordinatorLink? { links.first { $0.number == number } }

  /// The coordinator whose job is to begin next.
  func nextToServe() -> CoordinatorLink? {
    guard links.count > 1 else { return links.first.flatMap { hasWork($0) ? $0 : nil } }
    let waiting = links.filter { hasWork($0) }
    let number = ledger.next(of: waiting.map(\.number)) { number in
      var running = CreditLedger.Running()
      let mean = link(number)?.meanDuration ?? 0
      for slot in slots {
        if slot.runs.first?.assignment.link == number { running.slots += 1 }
        running.microseconds += Double(slot.runs.count { $0.assignment.link == number }) * mean
      }
      return running
    }
    return waiting.first { $0.number == number }
  }

  /// None is begun while results pile up that its coordinator does not take.
  private func hasWork(_ link: CoordinatorLink) -> Bool { !link.backlog.isEmpty && link.outbox.hasRoom }

  // MARK: - Reports

  func sendReports(now: Instant) {
    askForSuspects(now: now)
    for link in links where link.isWelcome {
      while link.outbox.hasUnsent,
        let message = link.outbox.take(worker: id, now: now, payloadLimit: link.maximumInstructionsBytes)
      {
        guard link.send(message.frames) else {
          link.outbox.putBack(message)
          break
        }
      }
    }
  }

  /// A job that may have ended its worker runs alone, so that what happens to this one proves something.
  private func askForSuspects(now: Instant) {
    guard let link = links.first(where: { !$0.held.isEmpty && $0.isWelcome }) else { return }
    guard links.count < 2 || slots.allSatisfy(\.runs.isEmpty) else { return }
    let questions = link.held.toAsk(idleChildren: slots.count(where: \.isIdle), now: now)
    if !questions.isEmpty { _ = link.send([BeganReport(worker: id, tokens: questions).encoded()]) }
  }
}
