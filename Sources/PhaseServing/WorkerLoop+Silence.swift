internal import Dispatch
internal import Logging
internal import PipelineModel
internal import ZeroMQTransport

/// What a process says where it hears of no coordinator, cannot reach it, or is taken by none.
extension WorkerLoop {
  func remarkOnSilence(now: Instant) {
    let services = services.values.filter { $0.stage == .serving }
    guard !services.isEmpty else { return }
    for point in meetingPoints {
      let isReached = services.contains { $0.isAnswered(at: point) }
      let words = { (kind: CoordinatorSilence.Kind) in self.words(for: kind, at: point) }
      let isHeard = !point.coordinators.isEmpty
      if let (kind, text) = point.silence.look(isHeard: isHeard, isWelcome: isReached, now: now, words: words) {
        if kind == .nobody, !point.hasOlderProtocol { explain(text, point.address) } else { logger.warning("\(text)") }
      }
      for service in services { service.remarkOnRefusal(at: point, now: now) }
    }
  }

  private func words(for kind: CoordinatorSilence.Kind, at point: MeetingPoint) -> String {
    switch kind {
    case .nobody where point.hasOlderProtocol:
      return "the coordinator at \(point.address) speaks protocol 1, this worker protocol 2: upgrade the coordinator"
    case .nobody: return "no coordinator heard at \(point.address), still trying"
    case .noWelcome:
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
