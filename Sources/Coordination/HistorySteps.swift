/// A span of time in steps, both in minutes. Steps begin at multiples of their length, so that a chart that is drawn again
/// shows the same ones. A pure value.
struct HistorySteps: Equatable {
  static let maximum: Int64 = 1_440

  let range: ClosedRange<Int64>
  let length: Int64

  /// - Parameters:
  ///   - minutes: the span; at least one step.
  ///   - length: of a step; more where there would be more than `maximum` of them.
  ///   - present: the last minute of the span.
  init(minutes: Int64, length: Int64, present: Int64) {
    let span = max(1, minutes)
    let step = max(1, length, (span + Self.maximum - 1) / Self.maximum)
    self.length = step
    range = ((present - max(span, step) + step) / step * step)...max(0, present)
  }

  var starts: StrideThrough<Int64> { stride(from: range.lowerBound, through: range.upperBound, by: Int(length)) }

  func index(of minute: Int64) -> Int { Int((minute - range.lowerBound) / length) }
}
