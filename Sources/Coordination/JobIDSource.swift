internal import PipelineModel

/// Makes job ids that sort by time: 42 bits of milliseconds, 33 bits that count on from a random start, written as 15
/// digits of Crockford's base 32 (the idea of ULID). Fifteen bytes, since Swift keeps such strings without allocating.
struct JobIDSource {
  private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
  private static let sequenceMask: UInt64 = (1 << 33) - 1
  private var sequence = UInt64.random(in: 0...sequenceMask)

  mutating func next(now: Timestamp) -> JobID {
    sequence = (sequence + 1) & Self.sequenceMask
    let time = UInt64(bitPattern: now.milliseconds) & ((1 << 42) - 1)
    let text = String(unsafeUninitializedCapacity: 15) { buffer in
      // 75 bits: the time's 42 fill eight digits and two bits of the ninth.
      for place in 0..<8 { buffer[place] = Self.digits[Int(time >> UInt64(37 - 5 * place)) & 31] }
      let middle = (time & 3) << 3 | sequence >> 30
      buffer[8] = Self.digits[Int(middle) & 31]
      for place in 0..<6 { buffer[9 + place] = Self.digits[Int(sequence >> UInt64(25 - 5 * place)) & 31] }
      return 15
    }
    guard let id = JobID(text) else { preconditionFailure("base 32 digits are plain") }
    return id
  }
}
