internal import PipelineModel

/// Timelines and errors as the job's hash keeps them: text that a person at redis-cli can read.
enum AttemptText {
  /// `KEY NUMBER WORKER PLUGIN STARTED TOOK OUTCOME`; no field ever holds a space. Short, since Redis keeps a hash compact
  /// only while its values are at most 64 bytes long (hash-max-listpack-value).
  static func text(_ attempt: AttemptRecord, key: Int) -> [UInt8] {
    let plugin = attempt.plugin.isEmpty ? "-" : attempt.plugin
    return Array(
      "\(key) \(attempt.number) \(attempt.worker) \(plugin) \(attempt.startedAt.milliseconds) \(attempt.endedAt - attempt.startedAt) \(attempt.outcome.rawValue)"
        .utf8)
  }

  /// An attempt, by phase key; nil where it is damaged.
  static func attempt(in line: String) -> AttemptRecord? {
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
