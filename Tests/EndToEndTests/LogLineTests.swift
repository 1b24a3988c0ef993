import Foundation
import Testing

@testable import CarbonTubeCommand

@Suite struct LogLineTests {
  @Test func `A reader that stands still holds up nobody, and what it missed is counted`() {
    let (entered, goOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let written = Written()
    let lines = LogLines(limit: 1_000) { bytes in
      entered.signal()
      goOn.wait()
      written.add(bytes)
      return 0
    }
    lines.write("first\n")
    entered.wait()
    for number in 0..<1_000 { lines.write("line \(number)\n") }
    for _ in 0..<2 { goOn.signal() }
    lines.flush(upToMilliseconds: 60_000)
    let text = written.text
    #expect(text.hasPrefix("first\nline 0\nline 1\n"))
    #expect(text.contains("log lines dropped: whoever reads stderr is too slow\n") && text.utf8.count < 1_200)
  }

  @Test func `A message is one line`() {
    let written = Written()
    let lines = LogLines { bytes in
      written.add(bytes)
      return 0
    }
    lines.write("2026 warning: job a: evil\u{1b}[2J\n2030 error forged\n")
    lines.flush(upToMilliseconds: 60_000)
    #expect(written.text == #"2026 warning: job a: evil\u{1b}[2J\n2030 error forged"# + "\n")
  }

  @Test func `Waiting for a reader that never reads has an end`() {
    let never = DispatchSemaphore(value: 0)
    let lines = LogLines { _ in
      never.wait()
      return 0
    }
    lines.write("a\n")
    lines.flush(upToMilliseconds: 1)
    never.signal()
  }

  @Test(arguments: [
    ("statsu", "status", 1), ("enqeue", "enqueue", 1), ("job", "jobs", 1), ("run", "run", 0), ("", "abc", 3),
    ("delete", "deploy", 4),
  ])
  func `Misspelt words have a distance`(left: String, right: String, distance: Int) {
    #expect(CommandLineWords.editDistance(left, right) == distance)
  }
}

private final class Written: @unchecked Sendable {
  private let lock = NSLock()
  private var bytes: [UInt8] = []
  func add(_ more: [UInt8]) { lock.withLock { bytes += more } }
  var text: String { lock.withLock { String(decoding: bytes, as: UTF8.self) } }
}
