import PipelineModel
import Testing

@testable import Coordination

@Suite struct DemandNewsTests {
  private var news = DemandNews()

  @Test mutating func itIsToldWhenAPhaseBeginsOrCeasesToWait() {
    #expect(news.take(waiting: [0, 3], isTick: false) == true)
    #expect(news.take(waiting: [0, 2], isTick: false) == false)
    #expect(news.take(waiting: [0, 0], isTick: false) == true)
    #expect(news.take(waiting: [1, 0], isTick: false) == true)
  }

  @Test mutating func atATickItIsToldAnyhow() {
    _ = news.take(waiting: [1], isTick: false)
    #expect(news.take(waiting: [1], isTick: true) == true)
  }

  @Test mutating func whatIsExpectedIsToldOnce() {
    _ = news.take(waiting: [1], isTick: false)
    #expect(!news.mayBeDue(hasShared: false) && news.mayBeDue(hasShared: true))
    news.expect()
    #expect(news.mayBeDue(hasShared: false))
    #expect(news.take(waiting: [1], isTick: false) == true)
    #expect(!news.mayBeDue(hasShared: false))
    #expect(news.take(waiting: [1], isTick: false) == false)
  }
}

@Suite struct LoopRoundsTests {
  private var rounds = LoopRounds()
  private let start = Instant(milliseconds: 1_000_000)

  @Test mutating func ticksComeAtTheirInterval() {
    #expect(rounds.takeTick(now: start) == LoopRounds.Tick(endsOverfullPeers: true, maintains: true))
    #expect(rounds.takeTick(now: start + 99) == nil)
    #expect(rounds.takeTick(now: start + 100) == LoopRounds.Tick(endsOverfullPeers: false, maintains: false))
    #expect(rounds.takeTick(now: start + 200) == LoopRounds.Tick(endsOverfullPeers: true, maintains: false))
    #expect(rounds.takeTick(now: start + 5_000) == LoopRounds.Tick(endsOverfullPeers: true, maintains: true))
  }

  @Test mutating func aLossBringsOneTickForward() {
    _ = rounds.takeTick(now: start)
    rounds.expectLoss(at: start + 40)
    rounds.expectLoss(at: start + 60)
    #expect(rounds.nextTickAt == start + 40)
    #expect(rounds.takeTick(now: start + 39) == nil)
    #expect(rounds.takeTick(now: start + 40) != nil)
    #expect(rounds.nextTickAt == start + 140)
  }

  @Test mutating func aLoopThatWasStoppedIsNoticed() {
    #expect(rounds.comeRound(now: start) == false)
    #expect(rounds.comeRound(now: start + 1_000) == false)
    #expect(rounds.comeRound(now: start + 2_001) == true)
    #expect(rounds.comeRound(now: start + 2_002) == false)
  }
}

@Suite struct WaitingEditsTests {
  @Test func oneMayAlwaysWaitAndMoreWithinTheBound() {
    var edits = WaitingEdits()
    #expect(edits.hasRoom(for: 200, within: 100))
    edits.add(60)
    #expect(edits.hasRoom(for: 40, within: 100) && !edits.hasRoom(for: 41, within: 100))
    edits.remove(60)
    #expect(edits.hasRoom(for: 200, within: 100))
  }
}
