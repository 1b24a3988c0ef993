internal import PipelineModel

/// Timelines and errors as they are kept: text that a person at redis-cli can read.
enum AttemptText {
  /// `KEY NUMBER WORKER PLUGIN STARTED TOOK OUTCOME`; no field ever holds a space or the end of a line.
  static func append(_ attempt: AttemptRecord, key: Int, to text: inout [UInt8]) {
    text.append(decimal: Int64(key))
    text.append(afterSpace: attempt.number)
    text.append(UInt8(ascii: " "))
    text.append(contentsOf: attempt.worker.text.utf8)
    text.append(UInt8(ascii: " "))
    text.append(contentsOf: (attempt.plugin.isEmpty ? "-" : attempt.plugin).utf8)
    text.append(afterSpace: Int(attempt.startedAt.milliseconds))
    text.append(afterSpace: Int(attempt.endedAt - attempt.startedAt))
    text.append(afterSpace: Int(attempt.outcome.rawValue))
  }

  /// An attempt, by phase key; nil where it is damaged.
  static func attempt(in line: Substring) -> AttemptRecord? {
    let words = line.split(separator: " ")
    guard words.count == 7, let key = Int(words[0]), let number = Int(words[1]),
      let worker = WorkerID(String(words[2])), let started = Int64(words[4]), let took = Int64(words[5]),
      let outcome = UInt8(words[6]).flatMap(AttemptOutcome.init(rawValue:))
    else { return nil }
    return AttemptRecord(
      phase: key, number: number, worker: worker, plugin: words[3] == "-" ? "" : String(words[3]),
      startedAt: Timestamp(milliseconds: started), endedAt: Timestamp(milliseconds: started) + took, outcome: outcome)
  }

  /// Four texts, each behind its length in bytes, as in a netstring (D. J. Bernstein, 1997).
  static func text(_ error: JobError) -> [UInt8] {
    [error.type, error.message, error.location, error.standardErrorTail].flatMap { part in
      Array("\(part.utf8.count):".utf8) + Array(part.utf8)
    }
  }

  static func error(in text: [UInt8]) -> JobError? {
    var rest = text[...]
    var parts: [String] = []
    while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
      guard let length = Int(String(decoding: rest[..<colon], as: UTF8.self)), length >= 0,
        rest.distance(from: colon, to: rest.endIndex) > length
      else { return nil }
      let end = colon + 1 + length
      parts.append(String(decoding: rest[(colon + 1)..<end], as: UTF8.self))
      rest = rest[end...]
    }
    guard parts.count == 4, rest.isEmpty else { return nil }
    return JobError(type: parts[0], message: parts[1], location: parts[2], standardErrorTail: parts[3])
  }
}
