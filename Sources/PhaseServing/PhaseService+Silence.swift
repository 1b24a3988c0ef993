internal import Logging
internal import PipelineModel

/// What becomes of a service at the coordinators that are found at an address.
extension PhaseService {
  /// One of them has said something to it, whatever that was.
  func isAnswered(at point: MeetingPoint) -> Bool {
    links(at: point).contains { $0.isWelcome || $0.refusal != nil }
  }

  /// Says so where all that answer there have refused it for long.
  func remarkOnRefusal(at point: MeetingPoint, now: Instant) {
    let links = Array(links(at: point))
    let refusal = links.contains(where: \.isWelcome) ? nil : links.lazy.compactMap(\.refusal?.message).first
    let due = refusals[point.address, default: SilenceRemark()]
      .look(isHeard: true, isWelcome: refusal == nil, now: now) { _ in
        "no pipeline at \(point.address) has taken this worker for '\(settings.jobType)': \(refusal ?? "")"
      }
    if let due { logger.warning("\(due.text)") }
  }

  private func links(at point: MeetingPoint) -> some Sequence<CoordinatorLink> {
    links.lazy.filter { point.coordinators.contains($0.address) }
  }
}
