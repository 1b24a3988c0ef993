internal import PipelineModel

/// How far a bulk is, on one line of the terminal that is drawn over; nothing where stderr is no terminal.
struct BulkBar {
  private let totalBytes: Int?
  private let isShown = StandardStreams.errorIsTerminal
  private let startedAt = Instant.now()
  private var lastDrawn = Instant(milliseconds: 0)
  private var isOnScreen = false

  /// - Parameter totalBytes: nil: how much comes is not known.
  init(totalBytes: Int?) { self.totalBytes = totalBytes }

  mutating func show(jobs: Int, bytes: Int) {
    let now = Instant.now()
    guard isShown, now - lastDrawn >= 100 else { return }
    lastDrawn = now
    isOnScreen = true
    let columns = StandardStreams.columns(of: 2)
    StandardStreams.draw(
      "\r\u{1B}[2K"
        + Self.line(jobs: jobs, bytes: bytes, of: totalBytes, afterMilliseconds: now - startedAt, columns: columns))
  }

  /// Before other lines are written; the next `show` draws it again at once.
  mutating func clear() {
    guard isOnScreen else { return }
    isOnScreen = false
    lastDrawn = Instant(milliseconds: 0)
    StandardStreams.draw("\r\u{1B}[2K")
  }

  mutating func finish() { clear() }

  static func line(
    jobs: Int, bytes: Int, of total: Int?, afterMilliseconds milliseconds: Int64, columns: Int
  ) -> String {
    let seconds = Double(max(1, milliseconds)) / 1_000
    let rate = Int((Double(jobs) / seconds).rounded())
    var text = " \(jobs) jobs, \(rate)/s"
    guard let total, total > 0, bytes > 0 else { return String(text.dropFirst().prefix(max(0, columns - 1))) }
    let share = min(1, Double(bytes) / Double(total))
    text += ", \(duration(seconds * (1 - share) / share)) left"
    return ProgressBar.line(text, columns: columns) { width in Int(Double(width) * share) }
  }

  /// `42 s`, `3 min 20 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(.up), 1e9))
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
  }
}
