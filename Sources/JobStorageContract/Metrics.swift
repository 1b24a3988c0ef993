internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let metrics: [ContractCase] = [
    ContractCase("metrics", "metrics of one minute add up") { scene in
      let (first, second) = (sample(minute: 7, phase: 1, 1), sample(minute: 7, phase: 1, 100))
      try scene.turn { $0.metrics = [first] }
      try scene.turn { $0.metrics = [second, second] }
      var sum = first
      sum.add(second)
      sum.add(second)
      try scene.expect(scene.store.metrics(minutes: 7...7), is: [sum])
      try scene.reopen()
      try scene.expect(scene.store.metrics(minutes: 7...7), is: [sum])
    },
    ContractCase("metrics", "metrics come by minute and phase") { scene in
      let samples = [(12, 0), (9, 2), (10, 1), (9, 0), (100, 0), (8, 0)].map { sample(minute: $0, phase: $1, 3) }
      try scene.turn { $0.metrics = samples }
      let found = try scene.store.metrics(minutes: 9...99)
      scene.expect(found, is: [samples[3], samples[1], samples[2], samples[0]])
      try scene.expect(scene.store.metrics(minutes: 0...7).isEmpty)
      try scene.expect(scene.store.metrics(minutes: 0 ... .max).count, is: 6)
    },
    ContractCase("metrics", "old metrics are pruned") { scene in
      try scene.turn { $0.metrics = (1...5).map { sample(minute: $0, phase: Int($0) % 3, 1) } }
      try scene.expect(scene.store.prune(RetentionPolicy(), metricsBefore: 4, limit: 0, now: scene.now), is: 0)
      try scene.expect(scene.store.metrics(minutes: 0...9).map(\.minute), is: [4, 5])
    },
  ]
}

/// Another number in every field.
private func sample(minute: Int64, phase: Int, _ seed: Int) -> PhaseMetrics {
  var metrics = PhaseMetrics(minute: minute, phase: phase)
  metrics.enqueued = seed
  metrics.started = seed + 1
  metrics.succeeded = seed + 2
  metrics.failed = seed + 3
  metrics.retried = seed + 4
  metrics.crashed = seed + 5
  metrics.dead = seed + 6
  for exponent in 0..<24 { metrics.latency.record(microseconds: Int64(seed) << Int64(exponent)) }
  metrics.wait.record(microseconds: 1 << 50)
  metrics.wait.record(microseconds: 0)
  return metrics
}
