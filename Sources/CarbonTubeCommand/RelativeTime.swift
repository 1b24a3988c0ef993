internal import CarbonTube
internal import PipelineModel

/// How long ago something was, in the unit that people would take.
enum RelativeTime {
  private static let second: Int64 = 1_000
  private static let minute = 60 * second
  private static let hour = 60 * minute
  private static let day = 24 * hour
  /// Beyond, a date says more.
  private static let limit = 30 * day

  /// `now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`, `in 4 min`, else the date.
  static func text(of moment: Timestamp, seenFrom now: Timestamp) -> String {
    let age = now - moment
    guard age.magnitude < limit.magnitude else { return String(moment.iso8601.prefix(10)) }
    guard age.magnitude >= second.magnitude else { return "now" }
    return age > 0 ? "\(duration(age)) ago" : "in \(duration(-age))"
  }

  /// In whole units, rounded down.
  static func duration(_ milliseconds: Int64) -> String {
    switch milliseconds {
    case ..<second: "\(max(0, milliseconds)) ms"
    case ..<minute: "\(milliseconds / second) s"
    case ..<hour: "\(milliseconds / minute) min"
    case ..<day: "\(milliseconds / hour) h"
    default: "\(milliseconds / day) d"
    }
  }
}
