import JobStorage
import PipelineModel
import Testing

@Suite struct PageTests {
  @Test(arguments: StoreUnderTest.all)
  func pagesFollowEachOtherWithoutGapsOrRepeats(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let ids = (0..<23).map { "j\($0)" }
    for id in ids { try scene.enqueue(id) }
    for size in [1, 5, 22, 23, 24] {
      #expect(try scene.all(pageSize: size).map(\.id.text) == ids.reversed(), "pages of \(size)")
    }
    let whole = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 100)
    #expect(whole.next == nil)
  }

  @Test(arguments: StoreUnderTest.all)
  func aCursorIsPlainAndOfUseAfterAReopen(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    let page = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 2)
    let next = try #require(page.next)
    #expect(isPlainName(next, maximumLength: 256))
    try scene.reopen()
    let rest = try scene.store.jobs(matching: JobFilter(), after: next, limit: 2)
    #expect((page.jobs + rest.jobs).map(\.id.text) == ["c", "b", "a"] && rest.next == nil)
  }

  @Test(arguments: StoreUnderTest.all)
  func aCursorThatNoPageGaveIsRefused(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    for cursor in ["", "nonsense", "-1", "1e3", " 5", "0x10", "99999999999999999999999"] {
      for reader in try scene.readers() {
        let page = #expect(throws: StoreError.self, "'\(cursor)'") {
          try reader.jobs(matching: JobFilter(), after: cursor, limit: 10)
        }
        let count = #expect(throws: StoreError.self, "'\(cursor)'") {
          try reader.count(matching: JobFilter(), after: cursor, limit: 10)
        }
        #expect(page?.kind == .badCursor && count?.kind == .badCursor)
        #expect(try reader.job(.named("a")) != nil)
      }
      for action in FilterAction.allCases {
        let step = #expect(throws: StoreError.self, "'\(cursor)'") {
          try scene.store.perform(action, matching: JobFilter(), after: cursor, limit: 1, now: scene.now)
        }
        #expect(step?.kind == .badCursor)
      }
    }
    #expect(try scene.claimOne().id.text == "a")
  }

  @Test(arguments: StoreUnderTest.all)
  func aPageEndsWhereItsBytesDo(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for (id, bytes) in [("a", 10), ("b", 1_000), ("c", 30), ("d", 40)] {
      try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: bytes))] }
    }
    for reader in try scene.readers() {
      for (maximum, pages) in [
        (70, [["d", "c"], ["b"], ["a"]]), (1_069, [["d", "c"], ["b", "a"]]), (1_070, [["d", "c", "b"], ["a"]]),
        (0, [["d"], ["c"], ["b"], ["a"]]), (.max, [["d", "c", "b", "a"]]),
      ] {
        var found: [[String]] = []
        var cursor: String?
        repeat {
          let page = try reader.jobs(matching: JobFilter(), after: cursor, limit: 10, maximumBytes: maximum)
          found.append(page.jobs.map(\.id.text))
          cursor = page.next
        } while cursor != nil && found.count < 10
        #expect(found.filter { !$0.isEmpty } == pages, "\(maximum) bytes")
      }
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func jobsThatComeAndGoMeanwhileDoNotDisturb(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for number in 0..<6 { try scene.enqueue("j\(number)") }
    let page = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 3)
    try scene.enqueue("new")
    for id in ["j3", "j2"] {
      _ = try scene.store.delete(matching: JobFilter(id: .named(id)), limit: 1, now: scene.now)
    }
    let rest = try scene.store.jobs(matching: JobFilter(), after: page.next, limit: 3)
    #expect(page.jobs.map(\.id.text) == ["j5", "j4", "j3"] && rest.jobs.map(\.id.text) == ["j1", "j0"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aFilterByStateFindsThatState(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    for state in JobState.allCases {
      #expect(try scene.ids(JobFilter(states: [state])) == [state.description])
    }
    #expect(try scene.ids(JobFilter(states: [.dead, .waiting, .running])) == ["waiting", "running", "dead"])
    #expect(try scene.ids(JobFilter(states: [])).isEmpty)
  }

  @Test(arguments: StoreUnderTest.all)
  func aFilterByPhaseFindsWhatStandsThere(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("waits", "runs", "dies", "ends", "stays")
    let jobs = try scene.claim()
    for job in jobs[..<4] { try scene.complete(job, next: 1) }
    let next = try scene.claim(1)
    try scene.turn { $0.settlements = [scene.release(next[0], 1)] }
    try scene.fail(next[2], .bury, phase: 1)
    try scene.complete(next[3], 1, next: 2)
    try scene.complete(try scene.claimOne(2), 2, next: nil)
    #expect(try scene.ids(JobFilter(phase: 0)) == ["stays"])
    #expect(try scene.ids(JobFilter(phase: 1)) == ["dies", "runs", "waits"])
    #expect(try scene.ids(JobFilter(phase: 2)) == ["ends"])
    #expect(try scene.ids(JobFilter(states: [.waiting], phase: 1)) == ["waits"])
    #expect(try scene.ids(JobFilter(states: [.running], phase: 1)) == ["runs"])
    #expect(try scene.ids(JobFilter(phase: 7)).isEmpty)
  }

  @Test(arguments: StoreUnderTest.all)
  func filtersByTextAreTakenByTheByte(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for (id, message) in [("a%1", "100% of x_y"), ("a_2", "100 of x-y"), ("A_3", "ÄÖ")] {
      try scene.enqueue(id)
      try scene.fail(try scene.claimOne(), .bury, error: JobError(type: "E\(id)", message: message))
    }
    try scene.enqueue("a_4")
    #expect(try scene.ids(JobFilter(idPrefix: "a")) == ["a_4", "a_2", "a%1"])
    #expect(try scene.ids(JobFilter(idPrefix: "a_")) == ["a_4", "a_2"])
    #expect(try scene.ids(JobFilter(idPrefix: "a_22")).isEmpty)
    #expect(try scene.ids(JobFilter(errorContains: "%")) == ["a%1"])
    #expect(try scene.ids(JobFilter(errorContains: "x_y")) == ["a%1"])
    #expect(try scene.ids(JobFilter(errorContains: "Ö")) == ["A_3"])
    #expect(try scene.ids(JobFilter(errorContains: "ö")).isEmpty)
    #expect(try scene.ids(JobFilter(errorContains: "EA_")) == ["A_3"])
    #expect(try scene.ids(JobFilter(errorContains: "")).count == 4)
  }

  @Test(arguments: StoreUnderTest.all)
  func aFilterByIdNeedsTheOtherConditionsToo(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    #expect(try scene.ids(JobFilter(id: .named("dead"))) == ["dead"])
    #expect(try scene.ids(JobFilter(id: .named("dead"), states: [.dead], phase: 0, idPrefix: "de")) == ["dead"])
    #expect(try scene.ids(JobFilter(id: .named("dead"), states: [.waiting])).isEmpty)
    #expect(try scene.ids(JobFilter(id: .named("dead"), errorContains: "other")).isEmpty)
    #expect(try scene.ids(JobFilter(id: .named("nobody"))).isEmpty)
  }
}
