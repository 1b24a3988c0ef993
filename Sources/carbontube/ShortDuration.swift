internal import ArgumentParser

/// A time as people write it: `30`, `30s`, `1.5m`, `2h`.
enum ShortDuration {
  /// - Throws: `ValidationError` for what is no time within 100 ms and a year.
  static func milliseconds(_ word: String) throws -> Int64 {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    let unit = word.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? word[...] : word.dropLast()), case let seconds = number * (unit ?? 1),
      (0.1...365 * 86_400).contains(seconds)
    else { throw ValidationError("'\(excerpt(word))' is no time such as 30s, 5m or 2h, from 0.1s to 365d") }
    return Int64(seconds * 1_000)
  }
}
