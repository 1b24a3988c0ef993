internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  /// Jobs of a stored definition whose phases differ from those that it is opened with.
  static let definitions: [ContractCase] =
    [
      ContractCase("definitions", "jobs move with their job type") { scene in
        try scene.enqueue("at-cut", "at-glue", "at-paint")
        let jobs = try scene.claim(exactly: 3)
        try scene.turn { $0.settlements = [scene.release(jobs[0], counted: false)] }
        try scene.complete(jobs[1], next: 1)
        try scene.complete(jobs[2], next: 2)
        let held = try scene.claimOne(2)
        scene.store.close()
        try scene.open(["paint", "saw", "glue", "cut"])
        try scene.expect(["at-cut", "at-glue", "at-paint"].map { try scene.job($0).phase }, is: [3, 2, 0])
        try scene.expect(scene.job("at-paint").attempts.map(\.phase), is: [3])
        try scene.expect(scene.store.runningJobs().map(\.phase), is: [0])
        try scene.expect(scene.store.counts().phases.map(\.waiting), is: [0, 0, 1, 1])
        try scene.expect(scene.complete(held, 0, next: 1), is: [.recorded])
        try scene.expect(scene.claim(3).map(\.id.text), is: ["at-cut"])
        try scene.expect(scene.claim(1).map(\.id.text), is: ["at-paint"])
        try scene.expectHonestCounts()
      },
      ContractCase("definitions", "new jobs enter the new first phase") { scene in
        try scene.enqueue("old")
        scene.store.close()
        try scene.open(["measure", "cut", "glue", "paint"])
        try scene.enqueue("new")
        try scene.expect(scene.claimOne(0).id.text, is: "new")
        try scene.expect(scene.claimOne(1).id.text, is: "old")
      },
      ContractCase("definitions", "repeated phases are told apart") { scene in
        scene.store.close()
        try scene.open(["wash", "dry", "wash"])
        try scene.enqueue("first", "second")
        let jobs = try scene.claim(exactly: 2)
        try scene.turn { $0.settlements = [scene.release(jobs[0])] }
        try scene.complete(jobs[1], next: 2)
        scene.store.close()
        try scene.open(["wash", "wash", "dry"])
        try scene.expect(scene.job("first").phase, is: 0)
        try scene.expect(scene.job("second").phase, is: 1)
        try scene.expect(scene.claimOne(1).id.text, is: "second")
      },
      ContractCase("definitions", "jobs that ended in a phase that is gone stand at the last") { scene in
        try scene.enqueue("succeeded", "cancelled")
        let jobs = try scene.claim(exactly: 2)
        try scene.complete(jobs[0], next: 2)
        try scene.complete(try scene.claimOne(2), 2, next: nil)
        try scene.complete(jobs[1], next: 2)
        _ = try scene.store.cancel(.named("cancelled"), now: scene.now)
        scene.store.close()
        try scene.open(["cut", "glue"])
        for id in ["succeeded", "cancelled"] {
          let job = try scene.job(id)
          scene.expect(job.state.description, is: id)
          scene.expect(job.phase, is: 1)
          scene.expect(job.attempts.map(\.phase), is: [0])
        }
        try scene.expect(scene.ids(JobFilter(phase: 1)), is: ["cancelled", "succeeded"])
        // There is no queue that it could go back to.
        let named = JobFilter(id: .named("cancelled"), states: [.cancelled])
        try scene.expect(scene.store.requeue(matching: named, limit: 1, now: scene.now), is: [:])
        scene.store.close()
        try scene.open()
        try scene.expect(scene.job("cancelled").phase, is: 2)
        try scene.expect(scene.job("succeeded").attempts.map(\.phase), is: [0, 2])
        try scene.expect(scene.store.requeue(matching: named, limit: 1, now: scene.now), is: [2: 1])
      },
      ContractCase("definitions", "pauses and metrics move with their phase") { scene in
        try scene.store.setPaused(true, phase: 2)
        try scene.turn { $0.metrics = [PhaseMetrics(minute: 1, phase: 0), PhaseMetrics(minute: 1, phase: 2)] }
        scene.store.close()
        try scene.open(["paint", "glue"])
        try scene.expect(scene.store.paused() == (false, [0]))
        try scene.expect(scene.store.metrics(minutes: 0...9), is: [PhaseMetrics(minute: 1, phase: 0)])
      },
    ] + phasesInUse

  /// For each state that holds a phase in the pipeline.
  private static let phasesInUse: [ContractCase] = [JobState.waiting, .delayed, .running, .dead].map { state in
    ContractCase("definitions", "a phase with a job that is \(state) cannot go") { scene in
      try scene.enqueue("a")
      try scene.complete(try scene.claimOne(), next: 1)
      if state != .waiting {
        let job = try scene.claimOne(1)
        if state == .delayed { try scene.fail(job, .retry(at: scene.now + 1_000), phase: 1) }
        if state == .dead { try scene.fail(job, .bury, phase: 1) }
      }
      let before = try scene.all()
      scene.store.close()
      let refusal = scene.expect(.definitionChanged) { try scene.open(["cut", "paint"]) }
      scene.expect(refusal?.message.contains("'glue'") ?? false, "\(refusal?.message ?? "no message")")
      try scene.open()
      try scene.expect(scene.all(), is: before)
      try scene.expectHonestCounts()
    }
  }
}
