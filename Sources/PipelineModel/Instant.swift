import Glibc

/// A moment of the machine's monotonic clock, in milliseconds since an unknown moment of the past.
///
/// Every interval, timeout and schedule inside a process is measured with it, since nobody can set it back or forward.
/// It means nothing to another machine, nor after a restart of this one: never stored, never sent.
public struct Instant: Hashable, Comparable, Sendable {
  public var milliseconds: Int64

  /// Later than any moment that comes.
  public static let distantFuture = Instant(milliseconds: .max)

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Reads `CLOCK_MONOTONIC`. Any thread.
  public static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

  /// The moment `milliseconds` after `moment`; saturates.
  public static func + (moment: Instant, milliseconds: Int64) -> Instant {
    let (sum, overflow) = moment.milliseconds.addingReportingOverflow(milliseconds)
    return Instant(milliseconds: overflow ? (milliseconds > 0 ? .max : .min) : sum)
  }

  /// Milliseconds from `right` to `left`; saturates.
  public static func - (left: Instant, right: Instant) -> Int64 {
    let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
    return overflow ? (left > right ? .max : .min) : difference
  }
}

/// Where a loop reads the time, handed to it so that tests can move both clocks.
public struct Clocks: Sendable {
  /// For intervals, timeouts and schedules.
  public var instant: @Sendable () -> Instant
  /// For what is stored or shown.
  public var timestamp: @Sendable () -> Timestamp

  /// The machine's.
  public static let system = Clocks(instant: Instant.now, timestamp: Timestamp.now)

  public init(instant: @escaping @Sendable () -> Instant, timestamp: @escaping @Sendable () -> Timestamp) {
    self.instant = instant
    self.timestamp = timestamp
  }
}
