import Glibc
import PipelineModel
import Synchronization
import Testing

@testable import Coordination

@Suite struct ReadShareTests {
  private let start = Instant(milliseconds: 1_000_000)

  @Test func whileTurnsGoOnLookingHasATenthOfTheTime() {
    var share = ReadShare(rest: 9)
    var now = start
    var looked: Int64 = 0
    for turn in 0..<1_000 {
      if share.allows(now: now, turn: turn, isIdle: turn % 2 == 0) {
        looked += 4
        now = now + 4
        share.took(microseconds: 4_000, turn: turn, now: now)
      }
      now = now + 1
    }
    let whole = now - start
    #expect(looked * 12 > whole && looked * 8 < whole, "\(looked) of \(whole) ms")
  }

  @Test func manyShortLooksCountAsWell() {
    var share = ReadShare(rest: 9)
    for _ in 0..<10 { share.took(microseconds: 300, turn: 1, now: start) }
    #expect(!share.allows(now: start + 1, turn: 2, isIdle: true))
    #expect(share.allows(now: start + 27, turn: 2, isIdle: true))
  }

  @Test func whereNothingElseIsDoneItNeedNotRest() {
    var share = ReadShare(rest: 9)
    #expect(share.allows(now: start, turn: 1, isIdle: true))
    share.took(microseconds: 50_000, turn: 7, now: start)
    #expect(share.allows(now: start, turn: 7, isIdle: true))
    #expect(!share.allows(now: start, turn: 7, isIdle: false))
    #expect(!share.allows(now: start, turn: 8, isIdle: true))
  }

  @Test(arguments: [Int64.min, -1, 3_600_000_000, .max])
  func aStoreThatHungDoesNotEndLooking(microseconds: Int64) {
    var share = ReadShare(rest: 9)
    share.took(microseconds: microseconds, turn: 1, now: start)
    #expect(share.allows(now: start + 2_250, turn: 2, isIdle: false))
  }
}

@Suite struct YieldingThreadTests {
  private func niceness(yields: Bool) -> Int32 {
    let found = Mutex<Int32>(-1)
    let thread = YieldingThread(name: "test", yields: yields)
    thread.run { found.withLock { $0 = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) } }
    thread.drain()
    return found.withLock { $0 }
  }

  @Test func othersGoBefore() {
    let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
    #expect(niceness(yields: true) == max(own, 10))
    #expect(niceness(yields: false) == own)
  }

  @Test func doesInOrderWhatItWasGivenAndAllOfItThoughNobodyKeepsIt() {
    let done = Mutex<[Int]>([])
    var thread: YieldingThread? = YieldingThread(name: "test")
    for number in 0..<100 { thread?.run { done.withLock { $0.append(number) } } }
    thread?.drain()
    thread = nil
    #expect(done.withLock { $0 } == Array(0..<100))
  }
}

@Suite struct UnreadAnswersTests {
  private let page = 16 << 20

  @Test func aPeerThatNeverReadsGetsNoMoreThanItsBound() {
    var unread = UnreadAnswers()
    var sent = 0
    for _ in 0..<1_000 where unread.hasRoom(for: page, at: [1], acknowledged: { _ in 5 }) {
      unread.note(page, to: [1], acknowledged: 5)
      sent += page
    }
    #expect(sent == UnreadAnswers.maximumPerPeer)
    // It reads one page: there is room for another.
    let afterOne = unread.hasRoom(for: page, at: [1], acknowledged: { _ in 5 + UInt64(page) })
    #expect(afterOne)
  }

  @Test func whoReadsIsNeverRefused() {
    var unread = UnreadAnswers()
    for number in 0..<1_000 {
      let read = UInt64(number * page)
      let there = unread.hasRoom(for: page, at: [1], acknowledged: { _ in read })
      #expect(there)
      unread.note(page, to: [1], acknowledged: read)
    }
  }

  @Test func manyPeersHaveABoundTogetherAndThoseThatReadMakeRoom() {
    var unread = UnreadAnswers()
    var sent = 0
    for peer in 0..<200 where unread.hasRoom(for: page, at: [UInt8(peer)], acknowledged: { _ in 0 }) {
      unread.note(page, to: [UInt8(peer)], acknowledged: 0)
      sent += page
    }
    #expect(sent == UnreadAnswers.maximum)
    let afterReading = unread.hasRoom(for: page, at: [201], acknowledged: { $0 == [0] ? UInt64(page) : 0 })
    #expect(afterReading)
    // Those that have gone do as well.
    let afterLeaving = unread.hasRoom(for: page, at: [201], acknowledged: { $0 == [201] ? 0 : nil })
    #expect(afterLeaving)
  }

  @Test func oneAnswerAboveTheBoundIsSentToWhoHasReadAllOthers() {
    var unread = UnreadAnswers()
    let large = UnreadAnswers.maximumPerPeer + 1
    let first = unread.hasRoom(for: large, at: [1], acknowledged: { _ in 0 })
    #expect(first)
    unread.note(large, to: [1], acknowledged: 0)
    let second = unread.hasRoom(for: 1, at: [1], acknowledged: { _ in 0 })
    #expect(!second)
  }

  @Test func aConnectionThatBeganAnewOwesNothing() {
    var unread = UnreadAnswers()
    unread.note(page, to: [1], acknowledged: 1_000)
    #expect(unread.unread(of: [1], acknowledged: 10) == 0)
    unread.note(page, to: [1], acknowledged: nil)
    #expect(unread.unread(of: [1], acknowledged: 1_000) == 0)
  }
}
