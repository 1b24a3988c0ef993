/// The last bytes of a stream.
struct OutputTail {
  static let capacity = 16 << 10
  private let capacity: Int
  private var bytes: [UInt8] = []
  /// Of all that came.
  private var count = 0
  private var wasCut: Bool { count > capacity }

  init(capacity: Int = OutputTail.capacity) { self.capacity = capacity }

  mutating func append(_ new: some Collection<UInt8>) {
    count += new.count
    // One more than is shown, which tells whether what is shown begins a line.
    bytes.append(contentsOf: new.suffix(capacity + 1))
    // Cut only now and then, so that many short lines do not move the whole tail each time.
    if bytes.count > 2 * capacity { bytes.removeFirst(bytes.count - capacity - 1) }
  }

  /// At most `capacity` bytes; begins at the start of a line where it was cut; what is not UTF-8 is replaced.
  var text: String {
    let decoded = String(decoding: cut(bytes), as: UTF8.self)
    // A replaced byte takes three.
    return decoded.utf8.count <= capacity ? decoded : String(decoding: cut(Array(decoded.utf8)), as: UTF8.self)
  }

  /// What `text` begins with is not the start of a line: that was too long.
  var beginsInsideALine: Bool {
    guard wasCut else { return false }
    let kept = cut(bytes)
    return kept.startIndex == bytes.startIndex || bytes[kept.startIndex - 1] != UInt8(ascii: "\n")
  }

  private func cut(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    guard bytes.count > capacity else { return bytes[...] }
    var tail = bytes.suffix(capacity)
    if let lineBreak = tail.firstIndex(of: UInt8(ascii: "\n")), lineBreak + 1 < tail.endIndex {
      return tail[(lineBreak + 1)...]
    }
    // Not in the middle of a character, which has at most three bytes that continue it.
    for _ in 0..<3 where tail.first.map({ $0 & 0xc0 == 0x80 }) == true { tail.removeFirst() }
    return tail
  }
}
