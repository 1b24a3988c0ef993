internal import FoundationEssentials
package import PipelineModel

/// Times as people write them, on the command line and over HTTP alike.
extension Timestamp {
  /// Nil where `text` is not a time by ISO 8601 with a zone.
  package init?(iso8601 text: String) {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
    guard abs(milliseconds) < 1e15 else { return nil }
    self.init(milliseconds: Int64(milliseconds))
  }

  /// A time, or an age such as `10m` that is counted from `now`; nil where `word` is neither.
  package init?(timeOrAge word: String, now: Timestamp) {
    if let moment = Timestamp(iso8601: word) {
      self = moment
    } else if let age = millisecondsOfDuration(word) {
      self = now + -age
    } else {
      return nil
    }
  }
}

/// `30`, `30s`, `1.5m`, `2h`, `7d`, in milliseconds; nil for what is no time from 100 ms to a year.
package func millisecondsOfDuration(_ word: String) -> Int64? {
  let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
  let unit = word.last.flatMap { units[$0] }
  guard let number = Double(unit == nil ? word[...] : word.dropLast()), case let seconds = number * (unit ?? 1),
    (0.1...365 * 86_400).contains(seconds)
  else { return nil }
  return Int64(seconds * 1_000)
}
