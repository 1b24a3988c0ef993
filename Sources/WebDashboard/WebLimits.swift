internal import Glibc

/// How much of it one server does at a time: whoever asks for more hears so, and nobody starves the others.
struct WebLimits: Sendable {
  /// At most this many; the one that has been idle the longest goes first.
  var connections = 512
  /// Requests that are being answered, streams of events apart.
  var requests = 256
  /// Streams of events.
  var streams = 128
  /// Of all bodies that are being read or worked at.
  var bodyBytes = 256 << 20
  /// Requests that one coordinator is asked at a time, and that wait for their turn.
  var asked = 16
  var waiting = 32
  /// From the connection to the end of the first header.
  var headerSeconds: Int64 = 10
  /// From an answer to the end of the next header.
  var idleSeconds: Int64 = 30
  /// From the end of a header to the end of the body.
  var bodySeconds: Int64 = 60
  /// In which a reader takes nothing of what it asked for.
  var stalledSeconds: Int64 = 30

  /// Well below what the process may open, since coordinators' sockets and plugins need descriptors as well: a coordinator
  /// in the same process leaves as many free (`DescriptorLimit`).
  static func forThisProcess() -> WebLimits {
    var limits = WebLimits()
    var descriptors = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0 {
      let most = Int(clamping: descriptors.rlim_cur)
      limits.connections = min(limits.connections, max(8, most / (most < 256 ? 8 : 3)))
      limits.streams = min(limits.streams, limits.connections / 2)
    }
    return limits
  }
}
