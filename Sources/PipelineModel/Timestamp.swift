import Glibc

/// A moment of the wall clock, in whole milliseconds since 1970-01-01 UTC.
///
/// Stored and sent as is. State machines take it as an argument; only event loops read the clock.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Reads `CLOCK_REALTIME`. Any thread.
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  /// The moment `milliseconds` after `moment`; saturates instead of trapping on absurd values.
  public static func + (moment: Timestamp, milliseconds: Int64) -> Timestamp {
    let (sum, overflow) = moment.milliseconds.addingReportingOverflow(milliseconds)
    return Timestamp(milliseconds: overflow ? (milliseconds > 0 ? .max : .min) : sum)
  }

  /// Milliseconds from `right` to `left`; saturates.
  public static func - (left: Timestamp, right: Timestamp) -> Int64 {
    let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
    return overflow ? (left > right ? .max : .min) : difference
  }
}
