/// Words of a command in the protocol's own form (RESP: `$LENGTH`, the bytes), one after the other in one buffer: a turn
/// has thousands of words, and an array for each would cost more than the server's work.
struct RedisWords {
  private(set) var bytes: [UInt8] = []
  private(set) var count = 0

  mutating func append(_ word: [UInt8]) {
    begin(word.count)
    bytes.append(contentsOf: word)
    end()
  }

  mutating func append(_ word: String) {
    var word = word
    word.withUTF8 { utf8 in
      begin(utf8.count)
      bytes.append(contentsOf: utf8)
    }
    end()
  }

  mutating func append(_ letter: Unicode.Scalar) {
    begin(1)
    bytes.append(UInt8(ascii: letter))
    end()
  }

  mutating func append(number: Int64) {
    var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &digits) { buffer in
      let length = Self.write(number, into: buffer)
      begin(length)
      bytes.append(contentsOf: buffer[(buffer.count - length)...])
    }
    end()
  }

  mutating func append(_ words: RedisWords) {
    bytes.append(contentsOf: words.bytes)
    count += words.count
  }

  /// `*COUNT` and the words: a whole command.
  var command: [UInt8] { [UInt8(ascii: "*")] + Array(String(count).utf8) + [0x0d, 0x0a] + bytes }

  private mutating func begin(_ length: Int) {
    bytes.append(UInt8(ascii: "$"))
    var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &digits) { buffer in
      let written = Self.write(Int64(length), into: buffer)
      bytes.append(contentsOf: buffer[(buffer.count - written)...])
    }
    end()
    count += 1
  }

  private mutating func end() {
    bytes.append(0x0d)
    bytes.append(0x0a)
  }

  /// Decimal digits at the end of `buffer`; `String(_:)` would allocate for long ones.
  /// - Returns: how many bytes they take.
  private static func write(_ number: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var rest = number.magnitude
    var place = buffer.count
    repeat {
      place -= 1
      buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    if number < 0 {
      place -= 1
      buffer[place] = UInt8(ascii: "-")
    }
    return buffer.count - place
  }
}

extension RedisWords {
  init(_ words: [[UInt8]]) {
    for word in words { append(word) }
  }
}
