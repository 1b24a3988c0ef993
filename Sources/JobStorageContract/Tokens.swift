internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let tokens: [ContractCase] = [
    ContractCase("tokens", "tokens rise with each claim") { scene in
      var tokens: [LeaseToken] = []
      for round in 0..<3 {
        for number in 0..<10 { try scene.enqueue("j\(round)-\(number)") }
        tokens += try scene.claim(limit: 5).map(\.token) + scene.claim(worker: "w2").map(\.token)
      }
      scene.expect(tokens, is: tokens.sorted())
      scene.expect(Set(tokens).count, is: 30)
    },
    ContractCase("tokens", "tokens rise over a reopen even where the clock went back") { scene in
      try scene.enqueue("a", "b", "c")
      let first = try scene.claimNext().token
      try scene.reopen()
      let second = try scene.claimNext().token
      scene.now = scene.now + -60_000
      try scene.reopen()
      let third = try scene.claimNext().token
      scene.expect(first < second)
      scene.expect(second < third)
    },
    ContractCase("tokens", "tokens follow the clock at open") { scene in
      try scene.enqueue("a", "b")
      let floor = { UInt64(scene.now.milliseconds) * 1_024 }
      try scene.expect(scene.claimNext().token.number >= floor())
      scene.now = scene.now + 3_600_000
      try scene.reopen()
      try scene.expect(scene.claimNext().token.number >= floor())
    },
    ContractCase("tokens", "a stale token changes nothing") { scene in
      try scene.enqueue("a")
      let old = try scene.claimOne()
      try scene.turn { $0.settlements = [scene.release(old)] }
      let held = try scene.claimOne()
      try expectAllStale(scene, old)
      try scene.expect(scene.complete(held, next: 1), is: [.recorded])
      try expectAllStale(scene, held)
    },
    ContractCase("tokens", "a token of another job is stale") { scene in
      try scene.enqueue("a", "b")
      var (a, b) = (try scene.claimNext(), try scene.claimNext())
      swap(&a.token, &b.token)
      try expectAllStale(scene, a)
      try expectAllStale(scene, b)
    },
    ContractCase("tokens", "tokens are stale whatever became of the job") { scene in
      try scene.enqueue("done", "dead", "delayed", "retried", "cancelled", "deleted")
      let jobs = try scene.claim(exactly: 6)
      try scene.complete(jobs[0], next: nil)
      try scene.fail(jobs[1], .bury)
      try scene.fail(jobs[2], .retry(at: scene.now + 1_000))
      try scene.fail(jobs[3], .retry(at: scene.now))
      for job in jobs[4...] { _ = try scene.store.cancel(job.id, now: scene.now) }
      try scene.expect(scene.store.delete(matching: JobFilter(id: .named("deleted")), limit: 1, now: scene.now), is: 1)
      for job in jobs { try expectAllStale(scene, job) }
      var unknown = jobs[0]
      unknown.id = .named("never-seen")
      try expectAllStale(scene, unknown)
    },
    ContractCase("tokens", "the same token twice in one turn counts once") { scene in
      try scene.enqueue("a", "b")
      let jobs = try scene.claim(exactly: 2)
      let result = try scene.turn {
        $0.settlements = [
          scene.completion(jobs[0], next: 1), scene.completion(jobs[0], next: 2), scene.failure(jobs[0], .bury),
          scene.release(jobs[1]), scene.release(jobs[1]), scene.completion(jobs[1], next: 1),
        ]
      }
      scene.expect(result.settlements, is: [.recorded, .stale, .stale, .recorded, .stale, .stale])
      try scene.expect(scene.job("a").phase, is: 1)
      try scene.expect(scene.job("b").phase, is: 0)
      try scene.expectHonestCounts()
    },
    // The phase of a settlement is looked at as well: what is told of another one is not about this lease.
    ContractCase("tokens", "a settlement from another phase is stale") { scene in
      try scene.enqueue("a", "b")
      try scene.turn { turn in turn.settlements = try scene.claim().map { scene.completion($0, next: 1) } }
      let jobs = try scene.claim(1, exactly: 2)
      let before = try scene.all()
      let wrong = [0, 2, 7, -1].flatMap { phase in
        [
          scene.completion(jobs[0], phase, next: 2), scene.completion(jobs[0], phase, next: nil),
          scene.failure(jobs[0], .bury, phase: phase), scene.release(jobs[0], phase),
        ]
      }
      let result = try scene.turn { $0.settlements = wrong + [scene.release(jobs[1], 0), scene.release(jobs[1], 1)] }
      scene.expect(result.settlements, is: Array(repeating: .stale, count: wrong.count + 1) + [.recorded])
      try scene.expect(scene.all().last, is: before.last)
      try scene.expect(scene.complete(jobs[0], 1, next: 2), is: [.recorded])
      try scene.expectHonestCounts()
    },
  ]
}

private func expectAllStale(
  _ scene: Scene, _ job: ClaimedJob, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
) throws {
  let before = (try scene.all(), try scene.heldLeases())
  let result = try scene.turn {
    $0.now = scene.now + 77
    $0.settlements = [
      scene.completion(job, next: 2, instructions: [1]), scene.failure(job, .bury),
      scene.failure(job, .retry(at: scene.now)), scene.release(job),
    ]
  }
  scene.expect(
    result.settlements, is: Array(repeating: .stale, count: 4), fileID: fileID, filePath: filePath, line: line)
  try scene.expect(scene.all(), is: before.0, fileID: fileID, filePath: filePath, line: line)
  try scene.expect(scene.heldLeases(), is: before.1, fileID: fileID, filePath: filePath, line: line)
  try scene.expectHonestCounts(fileID: fileID, filePath: filePath, line: line)
}
