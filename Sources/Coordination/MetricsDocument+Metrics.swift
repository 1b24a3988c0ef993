internal import ControlProtocol
internal import JobStorage
internal import PipelineModel

// What was counted, as answers tell it.

extension TotalsDocument {
  init(_ totals: [PhaseMetrics], _ measures: [MeasureDocument], pipeline: PipelineDefinition, coordinator: String) {
    self.init(
      coordinator: coordinator, boundsUs: DurationHistogram.bounds,
      phases: totals.map {
        Phase(
          jobType: pipeline.phases[$0.phase].jobType, enqueued: $0.enqueued, started: $0.started,
          succeeded: $0.succeeded, failed: $0.failed, retried: $0.retried, crashed: $0.crashed, dead: $0.dead,
          latency: Histogram($0.latency), wait: Histogram($0.wait))
      }, measures: measures)
  }
}

extension TotalsDocument.Histogram {
  fileprivate init(_ histogram: DurationHistogram) {
    self.init(counts: histogram.counts, sumUs: histogram.sumMicroseconds)
  }
}

extension MetricsDocument.Phase {
  init(_ metrics: PhaseMetrics, jobType: String) {
    self.init(
      jobType: jobType, enqueued: metrics.enqueued, started: metrics.started, succeeded: metrics.succeeded,
      failed: metrics.failed, retried: metrics.retried, crashed: metrics.crashed, dead: metrics.dead,
      latencyP50Us: metrics.latency.percentile(0.5), latencyP99Us: metrics.latency.percentile(0.99),
      waitP50Us: metrics.wait.percentile(0.5), waitP99Us: metrics.wait.percentile(0.99))
  }
}

extension HistoryDocument {
  init(_ found: [PhaseMetrics], steps: HistorySteps, pipeline: PipelineDefinition) {
    var sums = steps.starts.map { start in pipeline.phases.indices.map { PhaseMetrics(minute: start, phase: $0) } }
    for metrics in found where steps.range.contains(metrics.minute) {
      sums[steps.index(of: metrics.minute)][metrics.phase].add(metrics)
    }
    self.init(
      stepMinutes: steps.length,
      steps: zip(steps.starts, sums).map { start, phases in
        Step(
          atMs: start * 60_000,
          phases: phases.map { MetricsDocument.Phase($0, jobType: pipeline.phases[$0.phase].jobType) })
      })
  }
}
