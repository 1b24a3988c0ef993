internal import HostProtocol
internal import WireProtocol

/// What jobs count and measure goes to the coordinator that gave them: with the hellos, so that a job costs no message.
extension PhaseService {
  func note(_ found: [HostMeasure], of assignment: Assignment?) {
    for measure in found { _ = measures.add(measure) }
    guard let assignment, let link = link(assignment.link) else { return }
    for measure in found { _ = link.measures.add(PhaseMeasure(measure)) }
  }

  /// What cannot be sent now is added to what comes next.
  func tellMeasures(to link: CoordinatorLink) {
    guard !link.measures.isEmpty, link.isWelcome,
      let known = link.welcome?.minorVersion, known >= MeasuresReport.sinceMinorVersion
    else { return }
    if link.send([MeasuresReport(worker: id, measures: link.measures.all).encoded()]) {
      link.measures = PhaseMeasures()
    }
  }
}

extension PhaseMeasure {
  fileprivate init(_ measure: HostMeasure) {
    let value = measure.value
    switch measure.kind {
    case .counter: self.init(name: measure.name, reading: .counter(value))
    case .gauge: self.init(name: measure.name, reading: .gauge(latest: value, lowest: value, highest: value))
    }
  }
}
