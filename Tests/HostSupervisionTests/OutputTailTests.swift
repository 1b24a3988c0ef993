import Testing

@testable import HostSupervision

@Suite struct OutputTailTests {
  private func tail(_ parts: [[UInt8]]) -> String {
    var tail = OutputTail()
    for part in parts { tail.append(part) }
    return tail.text
  }

  @Test func keepsAllThatFits() {
    #expect(tail([Array("a\n".utf8), Array("b".utf8)]) == "a\nb")
    #expect(tail([[UInt8](repeating: 0x61, count: OutputTail.capacity)]).utf8.count == OutputTail.capacity)
  }

  @Test func beginsWithAWholeLineWhereItWasCut() {
    let lines = (0..<10_000).map { Array("line \($0)\n".utf8) }
    let text = tail(lines)
    #expect(text.utf8.count <= OutputTail.capacity)
    #expect(text.hasPrefix("line ") && text.hasSuffix("line 9999\n"))
  }

  @Test(arguments: [[0xff], [0xc3, 0xbc], [0xf0, 0x9f, 0x98, 0x80, 0x0a], [0xe2, 0x82]] as [[UInt8]])
  func isBoundedInBytesWhateverTheyAre(_ pattern: [UInt8]) {
    for extra in 0..<4 {
      let bytes = [UInt8](repeating: 0x61, count: extra) + (0..<30_000).flatMap { _ in pattern }
      let text = tail(
        stride(from: 0, to: bytes.count, by: 1_000).map { Array(bytes[$0..<min($0 + 1_000, bytes.count)]) })
      #expect(text.utf8.count <= OutputTail.capacity)
      #expect(text.utf8.count > OutputTail.capacity / 2)
      // Words that were whole stay so.
      if pattern.count != 1, pattern != [0xe2, 0x82] { #expect(!text.contains("\u{fffd}")) }
    }
  }
}
