import ControlProtocol
import Dispatch
import JobStorage
import PipelineModel
import Synchronization
import Testing
import WireProtocol

@testable import Coordination

@Suite struct ReadQueueTests {
  private let start = Instant(milliseconds: 1_000_000)

  @Test func eachPeerAndAllTogetherHaveABound() {
    var queue = ReadQueue<Int>()
    for number in 0..<8 { #expect(queue.add(number, of: [1], now: start) == true) }
    #expect(queue.add(8, of: [1], now: start) == false)
    #expect(queue.add(8, of: [1], now: start, goesOn: true) == true)
    for peer in 2...8 { for number in 0..<8 { _ = queue.add(number, of: [UInt8(peer)], now: start) } }
    #expect(queue.add(1, of: [9], now: start) == false)
    queue.drop([1])
    #expect(queue.add(1, of: [9], now: start) == true)
  }

  @Test func theCoordinatorsOwnGoFirst() {
    var queue = ReadQueue<Int>()
    _ = queue.add(1, of: [1], now: start)
    queue.addOwn(2)
    #expect([queue.next(), queue.next(), queue.next()] == [2, 1, nil])
  }

  @Test func whatWaitedTooLongIsTakenOut() {
    var queue = ReadQueue<Int>()
    _ = queue.add(1, of: [1], now: start)
    _ = queue.add(2, of: [1], now: start + 2_000)
    #expect(queue.takeExpired(now: start + 5_000).isEmpty)
    #expect(queue.takeExpired(now: start + 5_001) == [1])
    #expect(queue.next() == 2)
  }
}

@Suite struct PeerTableTests {
  fileprivate var peers = PeerTable()

  fileprivate mutating func heard(_ route: UInt8, on descriptor: Int32, bytes: Int = 0) -> [UInt8]? {
    peers.heard(from: [route], on: descriptor, bytes: bytes, frames: 1)
  }

  @Test mutating func aRouteIsGoneWithItsConnection() {
    _ = peers.update([(7, true)])
    #expect(heard(1, on: 7) == nil)
    #expect(heard(1, on: 7) == nil)
    #expect(peers.update([(7, false)]) == [[1]])
    #expect(peers.update([(7, false)]).isEmpty)
  }

  @Test mutating func theLastEventOfADescriptorCounts() {
    _ = heard(1, on: 7)
    // Closed, and used again for another connection that has already spoken.
    #expect(heard(2, on: 7) == [1])
    #expect(peers.update([(7, true), (7, false), (7, true)]).isEmpty)
    #expect(peers.update([(7, false)]) == [[2]])
  }

  @Test mutating func whatHasNoConnectionIsNeverGone() {
    #expect(heard(1, on: -1) == nil)
    #expect(heard(2, on: -1) == nil)
  }

  private mutating func overfull(_ received: [Int32: UInt64]) -> [Int32] {
    peers.overfull(received: received, beyond: 1_000).map(\.descriptor)
  }

  @Test mutating func whatIsKeptBackWithoutAnEndIsNoticed() {
    _ = peers.update([(7, true)])
    #expect(overfull([7: 1_000]).isEmpty)
    #expect(overfull([7: 1_001]) == [7])
    _ = heard(1, on: 7, bytes: 991)
    #expect(overfull([7: 2_000]).isEmpty)
    #expect(overfull([7: 2_001]) == [7])
    _ = heard(1, on: 7, bytes: 5_000)
    #expect(overfull([7: 2_001]).isEmpty)
    #expect(overfull([7: 3_002]) == [7])
    #expect(overfull([8: 9_000]).isEmpty)
  }

  @Test mutating func ofManyThatKeepBackALittleThoseThatKeepTheMostAreNamed() {
    for descriptor in Int32(1)...20 { _ = peers.update([(descriptor, true)]) }
    var received = Dictionary(uniqueKeysWithValues: (Int32(1)...20).map { ($0, UInt64(400)) })
    received[3] = 900
    received[5] = 800
    // 8,900 together: 8,000 are left once 900 are gone.
    #expect(overfull(received) == [3])
    received[9] = 401
    #expect(overfull(received) == [3, 5])
  }

  @Test mutating func aPeerIsFoundByTheConnectionItSpokeByLast() {
    _ = heard(1, on: 7)
    _ = heard(1, on: 8)
    #expect(peers.descriptor(of: [1]) == 8)
    _ = peers.update([(7, false)])
    #expect(peers.descriptor(of: [1]) == 8)
    _ = heard(2, on: 8)
    #expect(peers.descriptor(of: [1]) == nil && peers.descriptor(of: [2]) == 8)
    _ = peers.update([(8, false)])
    #expect(peers.descriptor(of: [2]) == nil)
  }
}

extension PeerTableTests {
  @Test mutating func whoNeverSpokeIsEndedFirstAndWhoSpokeLongestLast() {
    _ = peers.update([(5, true)])
    _ = peers.update([(6, true)])
    _ = peers.update([(7, true)])
    _ = peers.update([(8, true)])
    _ = heard(1, on: 5)
    _ = heard(2, on: 7)
    let silent = peers.chooseToEnd(1)
    let next = peers.chooseToEnd(2)
    _ = peers.update([(6, false), (6, true)])
    let rest = peers.chooseToEnd(9)
    let nobody = peers.chooseToEnd(9)
    #expect(silent == [6] && next == [8, 7] && rest == [6, 5] && nobody.isEmpty)
  }
}

@Suite struct PruneScheduleTests {
  @Test func finishedJobsAndTimeBringABite() {
    let start = Instant(milliseconds: 0)
    var schedule = PruneSchedule(now: start)
    #expect(schedule.isDue(now: start))
    schedule.begin(now: start)
    schedule.end(pruned: 0, limit: 200, microseconds: 10)
    #expect(!schedule.isDue(now: start + 4_999) && schedule.isDue(now: start + 5_000))
    schedule.noteFinished(249)
    #expect(!schedule.isDue(now: start))
    schedule.noteFinished(1)
    #expect(schedule.isDue(now: start))
  }

  @Test func aBiteThatWasFullIsFollowedByAnother() {
    let start = Instant(milliseconds: 0)
    var schedule = PruneSchedule(now: start)
    schedule.begin(now: start)
    schedule.end(pruned: schedule.size.limit, limit: schedule.size.limit, microseconds: 100)
    #expect(schedule.isDue(now: start))
    #expect(schedule.size.limit == 400)
    schedule.end(pruned: 400, limit: 400, microseconds: 50_000)
    #expect(schedule.size.limit == 200)
  }
}

@Suite struct LongActionsTests {
  private let start = Instant(milliseconds: 0)

  private func action(_ id: String, _ verb: LongAction.Verb = .change(.delete)) -> LongAction {
    LongAction(
      id: id, verb: verb, filter: JobFilter(states: [.dead]), startedAt: Timestamp(milliseconds: 0), began: start)
  }

  @Test func stepsTakeTurnsAndLeaveTheStoreTwoThirdsOfItsTime() {
    var actions = LongActions(now: start)
    for action in [action("a"), action("b"), action("c", .count)] { #expect(actions.begin(action) == true) }
    #expect(actions.next(now: start, isIdle: false)?.id == "a")
    actions.took("a", changed: 10, examined: 200, next: "x", microseconds: 6_000, now: start)
    #expect(actions.next(now: start + 11, isIdle: false) == nil)
    #expect(actions.next(now: start + 11, isIdle: true)?.id == "b")
    actions.took("b", changed: 7, examined: 7, next: nil, microseconds: 100, now: start + 11)
    #expect(actions["b"]?.state == .done)
    #expect(actions.next(now: start + 100, isIdle: false)?.id == "a")
    #expect(actions["a"]?.changed == 10)
  }

  @Test func whatIsLongIsToldOfAsAnAction() {
    var actions = LongActions(now: start)
    _ = actions.begin(action("a"))
    _ = actions.begin(action("c", .count))
    actions.took("a", changed: 1_000, examined: 1_000, next: "x", microseconds: 1, now: start)
    actions.took("c", changed: 90_000, examined: 90_000, next: "x", microseconds: 1, now: start)
    #expect(!actions.isLong("a", now: start) && !actions.isLong("c", now: start))
    actions.took("a", changed: 1, examined: 1, next: "x", microseconds: 1, now: start)
    #expect(actions.isLong("a", now: start) && actions.isLong("c", now: start + 2_001))
  }

  @Test func fewRunAtOnceAndTheLastHundredAreRemembered() {
    var actions = LongActions(now: start)
    for number in 0..<8 { #expect(actions.begin(action("r\(number)")) == true) }
    #expect(actions.begin(action("one too many")) == false)
    actions.stop("r3")
    #expect(actions.begin(action("r8")) == true)
    for number in 0..<200 {
      actions.stop("r8")
      actions.stop("e\(number - 1)")
      #expect(actions.begin(action("e\(number)")) == true)
    }
    #expect(actions.all.count == LongActions.remembered)
    #expect(actions["r0"]?.state == .running && actions["r3"] == nil && actions["e199"] != nil)
  }

  @Test func aStoppedActionTakesNoMoreSteps() {
    var actions = LongActions(now: start)
    _ = actions.begin(action("a"))
    _ = actions.next(now: start, isIdle: true)
    actions.stop("a")
    actions.took("a", changed: 3, examined: 3, next: "x", microseconds: 1, now: start)
    #expect(actions["a"]?.state == .stopped && actions["a"]?.changed == 3)
    #expect(actions.next(now: start + 10_000, isIdle: true) == nil)
  }
}

@Suite struct CountsTests {
  private let counts = StoreCounts(
    phases: [PhaseCounts(waiting: 1, delayed: 2, running: 3, dead: 4), PhaseCounts(waiting: 10, dead: 40)],
    succeeded: 100, cancelled: 1_000)

  @Test func whatTheCountsKnowNeedsNoLookAtJobs() {
    #expect(counts.count(matching: JobFilter()) == 1_160)
    #expect(counts.count(matching: JobFilter(states: [.dead])) == 44)
    #expect(counts.count(matching: JobFilter(states: [.dead, .waiting], phase: 1)) == 50)
    #expect(counts.count(matching: JobFilter(states: [.succeeded], phase: 1)) == nil)
    #expect(counts.count(matching: JobFilter(errorContains: "x")) == nil)
    #expect(counts.count(matching: JobFilter(idPrefix: "x")) == nil)
  }
}

@Suite struct HookQueueTests {
  @Test func theOldestPassingNewsIsDroppedFirst() {
    let gate = Mutex(())
    let seen = Mutex<[String]>([])
    let queue = HookQueue(PipelineHooks(), maximumBytes: 100_000)
    let began = DispatchSemaphore(value: 0)
    gate.withLock { _ in
      queue.call { _ in
        began.signal()
        gate.withLock { _ in }
      }
      began.wait()
      for number in 0..<20 {
        queue.call(bytes: 10_000, isPassing: number % 2 == 0) { _ in seen.withLock { $0.append("\(number)") } }
      }
    }
    #expect(queue.close(within: 60) == 0)
    let kept = seen.withLock { $0 }
    #expect(kept.last == "19" && kept.count < 10, "\(kept)")
    #expect(kept.contains("11") && !kept.contains("10"), "\(kept)")
    #expect(queue.takeDropped() == 20 - kept.count)
  }

  @Test func closingDoesNotWaitForEver() {
    let queue = HookQueue(PipelineHooks())
    let gate = Mutex(())
    gate.withLock { _ in
      for _ in 0..<3 { queue.call { _ in gate.withLock { _ in } } }
      #expect(queue.close(within: 0) > 0)
    }
  }

  @Test func whoeverIsInAHurryNeedNotWaitForThem() {
    let queue = HookQueue(PipelineHooks())
    let gate = Mutex(())
    gate.withLock { _ in
      for _ in 0..<3 { queue.call { _ in gate.withLock { _ in } } }
      queue.hurry()
      #expect(queue.close(within: 3_600) > 0)
    }
  }
}

@Suite struct MalformedMessagesTests {
  @Test func strangersWithoutEndAreCountedAndNotRemembered() {
    var complaints = MalformedMessages()
    var told = 0
    for number in 0..<10_000 where complaints.note(source: "worker-\(number)", problem: "is none") { told += 1 }
    #expect(told == 1_000 && complaints.total == 10_000)
    let isToldAgain = complaints.note(source: "worker-1", problem: "is none")
    #expect(!isToldAgain)
  }
}

@Suite struct RecentLogsTests {
  @Test func emptyLinesAreNotFree() throws {
    var logs = RecentLogs()
    for number in 0..<300_000 {
      let job = try #require(JobID("job-\(number / 100)"))
      logs.add(RecentLogs.Line(at: Timestamp(milliseconds: 0), level: .info, text: ""), of: job)
    }
    let kept = try (0..<3_000).count { !logs.lines(of: try #require(JobID("job-\($0)"))).isEmpty }
    #expect(kept * 100 * RecentLogs.lineBytes <= RecentLogs.bytes && kept > 100)
  }
}

@Suite struct VerbArgumentsTests {
  private let pipeline: PipelineDefinition

  init() throws {
    pipeline = try PipelineDefinition(
      name: "p", phases: [PhaseDefinition(jobType: "a"), PhaseDefinition(jobType: "b"), PhaseDefinition(jobType: "a")])
  }

  @Test(
    arguments: [
      "{}", #"{"id_prefix":""}"#, #"{"error":""}"#, #"{"states":[]}"#, #"{"phase":""}"#, #"{"id":""}"#,
      #"{"states":["dead"],"error":""}"#, #"{"states":["dead"],"phse":"b"}"#, #"{"states":["daed"]}"#, "[]", "7",
      #"{"limit":1e400}"#, #"{"minutes":9223372036854775808}"#, #"{"states":["dead"],"ids":["a"]}"#,
      #"{"states":["dead"],"limit":1}"#, #"{"states":["dead"],"phase":null}"#, #"{"id":"a","id":"b"}"#,
      #"{"states":["dead"],"states":["dead"]}"#, #"{"states":["dead"],"id\u005fprefix":"a","id_prefix":"b"}"#,
      #"{"since_ms":null}"#, #"{"since_ms":"1"}"#, #"{"since_ms":1.5}"#, #"{"since_ms":2,"until_ms":1}"#,
    ])
  func nothingNamedOrMisspeltIsRefused(json: String) {
    #expect(throws: Refusal.self) {
      let arguments = try ReceivedArguments.decoding(Array(json.utf8), of: Verbs.Cancel.self)
      _ = try arguments.filter(in: pipeline, toChange: true)
    }
  }

  @Test func whatIsNamedIsMeant() throws {
    let arguments = try ReceivedArguments.decoding(
      Array(#"{"states":["dead"],"phase":"b","id_prefix":"x"}"#.utf8), of: Verbs.Cancel.self)
    #expect(try arguments.filter(in: pipeline, toChange: true) == JobFilter(states: [.dead], phase: 1, idPrefix: "x"))
    #expect(try ReceivedArguments.decoding([], of: Verbs.Jobs.self).filter.filter(in: pipeline) == JobFilter())
    let span = try ReceivedArguments.decoding(
      Array(#"{"since_ms":-1,"until_ms":1}"#.utf8), of: Verbs.Delete.self)
    let changed = Timestamp(milliseconds: -1)...Timestamp(milliseconds: 1)
    #expect(try span.filter(in: pipeline, toChange: true) == JobFilter(changed: changed))
    let open = try ReceivedArguments.decoding(Array(#"{"until_ms":1}"#.utf8), of: Verbs.Count.self)
    #expect(try open.filter(in: pipeline).changed?.lowerBound == Timestamp(milliseconds: .min))
  }

  @Test func whatLooksLikeASecondNameWithinAValueIsNone() throws {
    let json = #"{"error":"a\\\":{\"error\":","states":["dead"]}"#
    #expect(try ReceivedArguments.decoding(Array(json.utf8), of: Verbs.Count.self).states == ["dead"])
  }

  /// Argument that the verb does not heed: a pause of "worker" must not pause the pipeline.
  @Test(arguments: [
    ("pause", #"{"worker":"w"}"#), ("pause", #"{"phase":null}"#), ("resume", #"{"id":"a"}"#), ("drain", #"{"id":"a"}"#),
    ("status", #"{"id":"a"}"#), ("metrics", #"{"step":1}"#), ("jobs", #"{"ids":[]}"#),
  ])
  func argumentsOfOtherVerbsAreRefused(verb: String, json: String) {
    #expect(throws: Refusal.self) {
      let known = try #require(Verbs.named(verb))
      try Self.decode(json, known)
    }
  }

  private static func decode<V: Verb>(_ json: String, _ verb: V.Type) throws(Refusal) {
    _ = try ReceivedArguments.decoding(Array(json.utf8), of: verb)
  }

  /// In the order in which a mistake is told: what is misspelt before what is missing.
  @Test(arguments: [
    ("{}", "'ids' must be a list of at most 1000 job ids"),
    (#"{"ids":null}"#, "'ids' must be a list of at most 1000 job ids"),
    (#"{"id":"a"}"#, "'states' has no argument 'id'"),
    (#"{"ids":[],"ids":[]}"#, "an argument stands there twice; name each once"),
    (#"{"ids":"a"}"#, "the arguments are not a JSON object with the members of the verb"),
  ])
  func aRefusalSaysWhatIsWrong(json: String, message: String) {
    let refusal = #expect(throws: Refusal.self) { try Self.decode(json, Verbs.States.self) }
    #expect(refusal?.message == message && refusal?.code == .invalid)
  }

  @Test func theCoordinatorCarriesOutEveryVerbThereIs() {
    #expect(Coordinator.verbs.names == Set(Verbs.all.map { $0.name }))
  }

  /// What is not named is found, or not, by whoever looks for it.
  @Test func aMissingNameIsTheEmptyOne() throws {
    #expect(try ReceivedArguments.decoding([], of: Verbs.Drain.self).worker.isEmpty)
    #expect(try ReceivedArguments.decoding([], of: Verbs.Action.self).id.isEmpty)
    let nothing = try ReceivedArguments.decoding(Array(#"{"id":null}"#.utf8), of: Verbs.Job.self)
    #expect(throws: Refusal.self) { _ = try JobID(named: nothing.id) }
  }

  @Test func theLongestListOfIdsIsTakenAndLongerTextsAreNot() throws {
    let ids = Array(repeating: String(repeating: "\\\"", count: 128), count: 1_000)
    let json = #"{"ids":["\#(ids.joined(separator: "\",\""))"]}"#
    #expect(try ReceivedArguments.decoding(Array(json.utf8), of: Verbs.States.self).jobIDs().count == 1_000)
    #expect(throws: Refusal.self) { try Self.decode(json, Verbs.Count.self) }
    let endless = "[" + String(repeating: "\"a\",", count: 100_000) + "\"a\"]"
    #expect(throws: Refusal.self) { try Self.decode("{\"ids\":\(endless)}", Verbs.States.self) }
  }

  @Test(arguments: [Int.min, -1, 0, 1, 60, Int.max])
  func spansAndStepsAreBounded(number: Int) throws {
    let arguments = try ReceivedArguments.decoding(
      Array(#"{"minutes":\#(number),"step":\#(number)}"#.utf8), of: Verbs.History.self)
    #expect((1...10_080).contains(arguments.span) && (1...1_440).contains(arguments.stepLength))
  }
}
