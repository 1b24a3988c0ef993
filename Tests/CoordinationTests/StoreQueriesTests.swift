import JobStorage
import PipelineModel
import Testing
import ZeroMQTransport

@testable import Coordination

/// The answers are fetched by hand, so nothing here depends on how long anything takes.
@Suite struct StoreQueriesTests {
  private final class Scene {
    var progress = StoreQueries.Progress(now: Instant(milliseconds: 0), turn: 1, isTurnInStore: false)
    private(set) lazy var queries = StoreQueries(wake: wake, yields: false) { [unowned self] in progress }
    private let wake = WakeUp()

    func counts(then: @escaping (Result<StoreCounts, StoreError>) -> Void) {
      queries.read({ reader throws(StoreError) in try reader.counts() }, then: then)
    }

    /// Until what was begun has been delivered.
    func finish() {
      queries.drain()
      queries.deliverAnswers()
    }
  }

  private func store() throws -> MemoryJobStore {
    let store = MemoryJobStore()
    let pipeline = try PipelineDefinition(name: "p", phases: [PhaseDefinition(jobType: "cut")])
    try store.open(pipeline, owner: "o", now: Timestamp(milliseconds: 1))
    return store
  }

  @Test func aReaderOfItsOwnIsAskedOneReadAtATime() throws {
    let scene = Scene()
    scene.queries.use(.success(try store()))
    var found: [Int] = []
    for number in 0..<3 {
      scene.counts { if case .success = $0 { found.append(number) } }
    }
    #expect(scene.queries.advance(isOpen: true) == false)
    #expect(scene.queries.advance(isOpen: true) == false)
    scene.finish()
    #expect(found == [0] && !scene.queries.isIdle)
    for _ in 0..<2 {
      _ = scene.queries.advance(isOpen: true)
      scene.finish()
    }
    #expect(found == [0, 1, 2] && scene.queries.isIdle)
  }

  @Test func aReaderThatFailsIsMadeAnewAfterAWhileAndOnlyOnce() throws {
    let scene = Scene()
    let closed = MemoryJobStore()
    scene.queries.use(.success(closed))
    var errors: [StoreError.Kind] = []
    scene.queries.read({ _ throws(StoreError) in
      throw StoreError(.unavailable, operation: "read", message: "gone")
    }) { (result: Result<Int, StoreError>) in
      if case .failure(let error) = result { errors.append(error.kind) }
    }
    _ = scene.queries.advance(isOpen: true)
    scene.finish()
    #expect(errors == [.unavailable])
    scene.counts { _ in }
    #expect(scene.queries.advance(isOpen: true) == false)
    scene.progress.now = Instant(milliseconds: 500)
    #expect(scene.queries.advance(isOpen: true) == true)
    #expect(scene.queries.advance(isOpen: true) == false)
    #expect(scene.queries.needsReader)
    scene.queries.use(.success(try store()))
    #expect(!scene.queries.needsReader)
  }

  @Test func aStoreWithoutAReaderIsAskedBetweenTurns() throws {
    let scene = Scene()
    scene.queries.use(.success(nil))
    #expect(!scene.queries.wantsTheStore && scene.queries.takeForStore() == nil)
    var isFresh = false
    scene.counts { if case .success = $0 { isFresh = true } }
    #expect(scene.queries.wantsTheStore)
    let (read, ended) = try #require(scene.queries.takeForStore())
    #expect(!scene.queries.wantsTheStore)
    let outcome = read.work(try store())
    ended(10)
    outcome.deliver()
    #expect(isFresh && scene.queries.isIdle)
  }

  @Test func whatOthersAskForWaitsForItsShareWhileTurnsGoOn() throws {
    let scene = Scene()
    scene.queries.use(.success(nil))
    func ask() -> Bool {
      let read = Read({ reader throws(StoreError) in try reader.counts() }, then: { _ in }, refuse: { _ in })
      return scene.queries.add(read, of: [1])
    }
    #expect(ask())
    let (_, ended) = try #require(scene.queries.takeForStore())
    scene.progress.turn = 2
    ended(10_000)
    #expect(ask())
    scene.progress.isTurnInStore = true
    #expect(!scene.queries.wantsTheStore)
    #expect(scene.queries.restsUntil == Instant(milliseconds: 190))
    scene.progress.now = Instant(milliseconds: 190)
    #expect(scene.queries.wantsTheStore)
  }

  @Test func whoWaitsTooLongOrWhileItEndsHearsSo() throws {
    let scene = Scene()
    var refused: [String] = []
    func ask() {
      let read = Read(
        { reader throws(StoreError) in try reader.counts() }, then: { _ in }, refuse: { refused.append($0) })
      #expect(scene.queries.add(read, of: [1]))
    }
    ask()
    scene.progress.now = Instant(milliseconds: 5_001)
    _ = scene.queries.advance(isOpen: false)
    #expect(refused == ["the store's reader is too busy; try again later"])
    ask()
    scene.queries.refuseAll("stopping")
    #expect(refused.last == "stopping" && refused.count == 2)
  }
}
