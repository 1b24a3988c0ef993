import Glibc

/// What tells, without reading it, that a file is still the one that was looked at. Git and make judge by the same
/// fields; the time of the last status change is the one that no program can set back.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64
  let size: Int64
  let modifiedNanoseconds: Int64
  let changedNanoseconds: Int64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modifiedNanoseconds = nanoseconds(status.st_mtim)
    changedNanoseconds = nanoseconds(status.st_ctim)
  }

  var text: String { "\(device):\(inode):\(size):\(modifiedNanoseconds):\(changedNanoseconds)" }

  /// A file may change again within one tick of the kernel's clock and look the same (Git calls it racy); 50 ms is more
  /// than the longest tick, 10 ms.
  func isSettled(nowNanoseconds: Int64) -> Bool {
    let (earliest, isTooMuch) = max(modifiedNanoseconds, changedNanoseconds).addingReportingOverflow(50_000_000)
    return !isTooMuch && nowNanoseconds > earliest
  }
}

/// Saturates: files may be of any year, and clocks say any.
func nanoseconds(_ time: timespec) -> Int64 {
  let (whole, isTooMuch) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
  let (sum, overflow) = whole.addingReportingOverflow(Int64(time.tv_nsec))
  return isTooMuch || overflow ? (time.tv_sec < 0 ? .min : .max) : sum
}

/// Nanoseconds since 1970.
func nanosecondsNow() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return nanoseconds(time)
}
