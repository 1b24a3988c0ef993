/// Whole numbers as digits in bytes, without the `String` in between: a turn has thousands of them.
enum Decimal {
  static func withDigits(of number: Int64, _ body: (Slice<UnsafeMutableRawBufferPointer>) -> Void) {
    var room: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &room) { buffer in
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
      body(buffer[place...])
    }
  }
}

extension [UInt8] {
  mutating func append(decimal number: Int64) { Decimal.withDigits(of: number) { append(contentsOf: $0) } }

  /// A space and the number, or a dash where there is none.
  mutating func append(afterSpace number: Int?) {
    append(UInt8(ascii: " "))
    if let number { append(decimal: Int64(number)) } else { append(UInt8(ascii: "-")) }
  }
}

/// Reads numbers that stand one behind the other, parted by spaces.
struct DecimalReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Nil where there is none, or none that 64 bits hold.
  mutating func next() -> Int64? {
    guard place < bytes.count else { return nil }
    var end = place
    while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
    let isNegative = place < end && bytes[place] == UInt8(ascii: "-")
    let digits = bytes[(isNegative ? place + 1 : place)..<end]
    guard !digits.isEmpty else { return nil }
    place = end + 1
    var number: Int64 = 0
    for digit in digits {
      let (tens, isBeyond) = number.multipliedReportingOverflow(by: 10)
      let (sum, isBeyondNow) = tens.addingReportingOverflow(Int64(digit) - 48)
      guard !isBeyond, !isBeyondNow, (48...57).contains(digit) else { return nil }
      number = sum
    }
    return isNegative ? -number : number
  }

  /// A number of attempts or bytes; nil where it is none that could be.
  mutating func nextCount() -> Int? { next().flatMap { (0...Stored.maximum).contains($0) ? Int($0) : nil } }
}

/// Counts as Redis keeps them, read without trust: another program may have written anything.
enum Stored {
  /// Up to here Lua's numbers and the scores of indexes, which are doubles, are exact.
  static let maximum: Int64 = 1 << 53

  /// Nil where `text` is no count.
  static func count(_ text: some StringProtocol) -> Int? {
    Int64(text).flatMap { (0...maximum).contains($0) ? Int($0) : nil }
  }
}

/// A score of an index.
struct Score {
  /// Cut to what 64 bits hold.
  let whole: Int64

  /// Nil where there is none.
  init?(_ text: String) {
    if let exact = Int64(text) {
      whole = exact
    } else if let number = Double(text), !number.isNaN {
      whole = Int64(exactly: number.rounded()) ?? (number > 0 ? .max : .min)
    } else {
      return nil
    }
  }
}
