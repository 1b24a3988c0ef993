import Dispatch
import PipelineModel
import Testing
import WireProtocol
import ZeroMQTransport

@testable import Coordination

@Suite struct NameBookTests {
  private var book = NameBook()
  private let start = Instant(milliseconds: 5_000)

  @Test mutating func aNameIsAskedForOnceAndRememberedForAWhile() {
    #expect(book.answer(for: "h", now: start) == .pending)
    #expect(book.answer(for: "h", now: start) == .pending)
    #expect(book.next() == "h")
    #expect(book.answer(for: "h", now: start) == .pending)
    #expect(book.next() == nil)
    book.learn("h", .number("10.0.0.7"), now: start)
    #expect(book.answer(for: "h", now: start + (NameBook.memory - 1)) == .number("10.0.0.7"))
    #expect(book.next() == nil)
    #expect(book.answer(for: "h", now: start + NameBook.memory) == .pending)
    #expect(book.next() == "h")
  }

  @Test mutating func aFloodOfNamesIsBounded() {
    let names = (0..<1_000).map { "h\($0)" }
    let refused = names.filter { book.answer(for: $0, now: start) != .pending }
    #expect(refused.count == 1_000 - NameBook.maximumWaiting)
    #expect((0..<100).compactMap { _ in book.next() } == Array(names.prefix(NameBook.maximumAsked)))
    book.learn("h0", .unknown("no such name"), now: start)
    #expect(book.next() == names[NameBook.maximumAsked])
  }
}

@Suite struct NameLookupTests {
  @Test(arguments: ["tcp://10.1.2.3:5", "tcp://[::1]:5", "tcp://[fe80::1%eth0]:5", "ipc:///tmp/x"])
  func numbersAreNotAskedFor(address: String) { #expect(NameLookup.name(in: address) == nil) }

  @Test(arguments: ["tcp://worker.example:5", "tcp://10.1.2:5", "tcp://eth0;worker:5"])
  func namesAre(address: String) { #expect(NameLookup.name(in: address) == parseHost(address)) }

  @Test func theLoopGoesOnWhileANameIsAskedFor() throws {
    let (wake, gate) = (WakeUp(), DispatchSemaphore(value: 0))
    let names = NameLookup(wake: wake) { name in
      if name == "slow" { gate.wait() }
      return .number("10.0.0.7")
    }
    let now = Instant(milliseconds: 0)
    #expect(names.answer(for: "slow", now: now) == .pending)
    #expect(names.answer(for: "quick", now: now) == .pending)
    let poller = Poller()
    poller.add(fileDescriptor: wake.fileDescriptor, as: 0)
    while names.answer(for: "quick", now: now) == .pending { poller.wait(timeoutMilliseconds: 100) }
    #expect(names.answer(for: "quick", now: now) == .number("10.0.0.7"))
    #expect(names.answer(for: "slow", now: now) == .pending)
    gate.signal()
    while names.answer(for: "slow", now: now) == .pending { poller.wait(timeoutMilliseconds: 100) }
    #expect(names.answer(for: "slow", now: now) == .number("10.0.0.7"))
  }

  @Test func theSystemIsAskedForNumbers() {
    guard case .number(let number) = NameLookup.askSystem("localhost") else {
      Issue.record("localhost has no number")
      return
    }
    #expect(number == "127.0.0.1" || number == "::1")
    guard case .unknown(let reason) = NameLookup.askSystem("no such name") else {
      Issue.record("a name that is none has a number")
      return
    }
    #expect(!reason.isEmpty)
  }
}
