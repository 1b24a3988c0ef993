/// The last bytes of a stream.
struct OutputTail {
  static let capacity = 16 << 10
  private var bytes: [UInt8] = []

  mutating func append(_ new: some Collection<UInt8>) {
    bytes.append(contentsOf: new.suffix(Self.capacity))
    // Cut only now and then, so that many short lines do not move the whole tail each time.
    if bytes.count > 2 * Self.capacity { bytes.removeFirst(bytes.count - Self.capacity) }
  }

  /// Begins at the start of a line where it was cut; what is not UTF-8 is replaced.
  var text: String {
    guard bytes.count > Self.capacity else { return String(decoding: bytes, as: UTF8.self) }
    let tail = bytes.suffix(Self.capacity)
    let firstBreak = tail.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? tail.startIndex
    return String(decoding: tail[(firstBreak < tail.endIndex ? firstBreak : tail.startIndex)...], as: UTF8.self)
  }
}
