internal import ControlProtocol
internal import PipelineModel
internal import WireProtocol

/// What phases count and measure, added up since the coordinator's start.
extension Coordinator {
  func handleMeasures(_ frames: [[UInt8]], from route: [UInt8]) throws(WireError) {
    guard frames.count == 1 else { throw WireError("\(frames.count) frames where there is one") }
    let report = try MeasuresReport(decoding: frames[0])
    guard roster.knows(report.worker, at: route), let phase = roster.workers[report.worker]?.hello.jobType,
      !pipeline.phases(of: phase).isEmpty
    else { return }
    for measure in report.measures where !measured[phase, default: PhaseMeasures()].add(measure) {
      connections.complain(
        source: "worker \(report.worker)",
        WireError("\(measure.name) has no room beside the measures of phase \(phase), or was of another kind before"))
    }
  }

  /// By the places of the phases, then by name; each phase once, however often it stands in the pipeline.
  var measuresShown: [MeasureDocument] {
    var shown: Set<String> = []
    return pipeline.phases.map(\.jobType).filter { shown.insert($0).inserted }.flatMap { phase in
      (measured[phase]?.all ?? []).map { MeasureDocument($0, phase: phase) }
    }
  }
}

extension MeasureDocument {
  init(_ measure: PhaseMeasure, phase: String) {
    switch measure.reading {
    case .counter(let value): self.init(phase: phase, name: measure.name, kind: "counter", value: value)
    case .gauge(let latest, let lowest, let highest):
      self.init(phase: phase, name: measure.name, kind: "gauge", value: latest, lowest: lowest, highest: highest)
    }
  }
}
