/// Words of a command in the protocol's own form (RESP: `$LENGTH`, the bytes), one after the other in one buffer: a turn
/// has thousands of words, and an array for each would cost more than the server's work.
struct RESPEncoder {
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
    Decimal.withDigits(of: number) { digits in
      begin(digits.count)
      bytes.append(contentsOf: digits)
    }
    end()
  }

  mutating func append(_ words: RESPEncoder) {
    bytes.append(contentsOf: words.bytes)
    count += words.count
  }

  /// `*COUNT` and the words: a whole command.
  var command: [UInt8] { [UInt8(ascii: "*")] + Array(String(count).utf8) + [0x0d, 0x0a] + bytes }

  private mutating func begin(_ length: Int) {
    bytes.append(UInt8(ascii: "$"))
    bytes.append(decimal: Int64(length))
    end()
    count += 1
  }

  private mutating func end() {
    bytes.append(0x0d)
    bytes.append(0x0a)
  }
}

extension RESPEncoder {
  init(_ words: [[UInt8]]) {
    for word in words { append(word) }
  }
}
