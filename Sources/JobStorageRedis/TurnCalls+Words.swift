internal import JobStorage
internal import PipelineModel

/// How parts and their arguments are written.
extension TurnCalls {
  mutating func makeRoom() {
    guard room == 0 else { return }
    calls.append(RedisWords())
    room = Self.itemsPerCall
  }

  mutating func begin(_ letter: Unicode.Scalar, _ part: Part) {
    parts.append(part)
    calls[calls.count - 1].append(letter)
  }

  /// A part of one item.
  mutating func add(_ letter: Unicode.Scalar, _ part: Part) {
    makeRoom()
    room -= 1
    begin(letter, part)
  }

  mutating func add(_ letter: Unicode.Scalar, _ part: Part, _ job: JobID, _ token: LeaseToken) {
    add(letter, part)
    append(job.text)
    append(Int64(bitPattern: token.number))
  }

  mutating func append(_ word: String) { calls[calls.count - 1].append(word) }

  mutating func append(_ word: [UInt8]) { calls[calls.count - 1].append(word) }

  mutating func append(_ number: Int64) { calls[calls.count - 1].append(number: number) }

  mutating func append(_ attempt: AttemptRecord, _ keys: PhaseKeys) {
    text.removeAll(keepingCapacity: true)
    text.append(UInt8(ascii: "\n"))
    AttemptText.append(attempt, key: keys.key(ofIndex: attempt.phase) ?? 0, to: &text)
    append(text)
  }
}
