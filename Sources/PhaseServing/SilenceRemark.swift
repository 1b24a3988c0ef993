internal import PipelineModel

/// A silence, and what was said about it. A pure value.
struct SilenceRemark {
  private var silence = CoordinatorSilence()
  private var remark = RareRemark()

  /// - Parameter words: for what has been so for too long.
  /// - Returns: what is to be said now.
  mutating func look(
    isHeard: Bool, isWelcome: Bool, now: Instant, words: (CoordinatorSilence.Kind) -> String
  ) -> (kind: CoordinatorSilence.Kind, text: String)? {
    guard let kind = silence.look(isHeard: isHeard, isWelcome: isWelcome, now: now) else {
      _ = remark.end()
      return nil
    }
    let text = words(kind)
    return remark.isDue(text, now: now) ? (kind, text) : nil
  }
}
