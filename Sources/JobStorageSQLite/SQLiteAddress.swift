internal import JobStorage

/// `sqlite:PATH[?option=value&…]`, taken apart.
struct SQLiteAddress {
  /// As it was written.
  let path: String
  var isFullySynchronous = true
  var busyTimeoutMilliseconds: Int32 = 5_000
  /// Of the database file, without its log; nil: no limit but the disk's.
  var maximumBytes: Int64?

  /// For logs and messages. Made once: each turn has it at hand.
  let text: String

  /// What SQLite is told: it would take `:memory:` and `file:…` for something else than files.
  let file: String

  private static let scheme = "sqlite:"
  private static let smallestMaximum: Int64 = 1 << 20

  init(uri: String) throws(StoreError) {
    guard uri.hasPrefix(Self.scheme) else {
      throw Self.refusal("store address '\(uri)' must begin with 'sqlite:', for example sqlite:/var/lib/jobs.db")
    }
    let parts = uri.dropFirst(Self.scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts[0])
    text = shown(Self.scheme + path)
    file = path.hasPrefix("/") ? path : "./" + path
    guard !path.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
      throw Self.refusal("store address '\(uri)' names no file; write for example sqlite:/var/lib/jobs.db")
    }
    guard path != ":memory:" else {
      throw Self.refusal("store address '\(uri)' names no file; for a store without a file write memory:")
    }
    guard parts.count == 2 else { return }
    for option in parts[1].split(separator: "&", omittingEmptySubsequences: false) { try set(option, of: uri) }
  }

  private mutating func set(_ option: Substring, of uri: String) throws(StoreError) {
    let halves = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let value = halves.count == 2 ? halves[1] : ""
    switch halves[0] {
    case "synchronous":
      guard value == "full" || value == "normal" else {
        throw Self.refusal("store address '\(uri)': synchronous is '\(value)'; write full or normal")
      }
      isFullySynchronous = value == "full"
    case "busy_timeout":
      guard let milliseconds = Int32(value), (0...600_000).contains(milliseconds) else {
        throw Self.refusal(
          "store address '\(uri)': busy_timeout is '\(value)'; write milliseconds from 0 to 600000")
      }
      busyTimeoutMilliseconds = milliseconds
    case "max_bytes":
      guard let bytes = Int64(value), bytes >= Self.smallestMaximum else {
        throw Self.refusal(
          "store address '\(uri)': max_bytes is '\(value)'; write a number of bytes from \(Self.smallestMaximum) up")
      }
      maximumBytes = bytes
    default:
      throw Self.refusal(
        "store address '\(uri)': '\(halves[0])' is not an option; there are synchronous, busy_timeout and max_bytes, "
          + "and a path cannot have a '?' in it")
    }
  }
}
