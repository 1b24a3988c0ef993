internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  /// Workers that went away under a job.
  static let losses: [ContractCase] = [
    ContractCase("losses", "a release may set the losses") { scene in
      try scene.enqueue("a")
      try scene.expect(scene.claimOne().losses, is: 0)
      let held = try scene.require(try scene.store.runningJobs().first)
      for losses in [1, 2, nil] as [Int?] {
        let job = held.token == (try scene.store.runningJobs().first?.token) ? claimed(held) : try scene.claimOne()
        try scene.turn { $0.settlements = [scene.release(job, losses: losses)] }
        try scene.expect(scene.job("a").losses, is: losses ?? 2)
      }
      try scene.reopen()
      let job = try scene.claimOne()
      scene.expect(job.losses, is: 2)
      try scene.expect(scene.store.runningJobs().map(\.losses), is: [2])
      try scene.reopen()
      try scene.expect(scene.store.runningJobs().map(\.losses), is: [2])
      try scene.expect(scene.job("a").losses, is: 2)
      try scene.complete(job, next: 1)
      try scene.expect(scene.job("a").losses, is: 0)
    },
    ContractCase("losses", "a requeue forgets the losses") { scene in
      try scene.enqueue("a")
      try scene.turn { $0.settlements = [scene.release(try scene.claimOne(), losses: 9)] }
      try scene.fail(try scene.claimOne(), .bury, outcome: .lost)
      try scene.expect(scene.job("a").losses, is: 10)
      try scene.perform(.requeue)
      try scene.expect(scene.job("a").losses, is: 0)
      try scene.expect(scene.claimOne().losses, is: 0)
    },
    // What a wall clock that was set says must not bring a delayed job forward, nor keep it back.
    ContractCase("losses", "jobs become due by the time that is given for it") { scene in
      try scene.enqueue("a", notBefore: scene.now + 1_000)
      let start = scene.now
      scene.now = start + 3_600_000
      let early = try scene.turn {
        $0.promotionLimit = 9
        $0.promotionTime = start + 999
      }
      scene.expect(early.promoted.isEmpty)
      scene.expect(early.nextDue, is: start + 1_000)
      scene.now = start + -3_600_000
      let due = try scene.turn {
        $0.promotionLimit = 9
        $0.promotionTime = start + 1_000
      }
      scene.expect(due.promoted, is: [0: 1])
      try scene.expect(scene.claimOne().queuedAt, is: scene.now)
    },
  ]
}

private func claimed(_ job: RunningJob) -> ClaimedJob {
  ClaimedJob(
    id: job.id, token: job.token, attempt: job.attempt, failures: job.failures, crashes: job.crashes,
    instructions: [], queuedAt: job.claimedAt)
}
