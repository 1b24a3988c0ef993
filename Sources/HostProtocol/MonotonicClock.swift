internal import Glibc

/// `CLOCK_MONOTONIC` in nanoseconds, for durations. The same for the parent and its children; any thread.
public func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
