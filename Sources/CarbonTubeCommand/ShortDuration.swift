internal import ArgumentParser
internal import PipelineAccess

/// A time as people write it: `30`, `30s`, `1.5m`, `2h`.
enum ShortDuration {
  /// - Throws: `ValidationError` for what is no time within 100 ms and a year.
  static func milliseconds(_ word: String) throws -> Int64 {
    guard let milliseconds = millisecondsOfDuration(word) else {
      throw ValidationError("'\(excerpt(word))' is no time such as 30s, 5m or 2h, from 0.1s to 365d")
    }
    return milliseconds
  }
}
