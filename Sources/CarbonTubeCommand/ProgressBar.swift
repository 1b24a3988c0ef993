internal import Glibc
internal import PipelineModel

/// One line on the terminal that is drawn over; nothing where stderr is no terminal.
struct ProgressBar {
  private let total: Int
  private let isShown = StandardStreams.errorIsTerminal
  private var lastDrawn = Instant(milliseconds: 0)
  private let startedAt = Instant.now()

  init(total: Int) { self.total = total }

  /// At most ten times a second: a terminal is slower than jobs are.
  mutating func show(done: Int, failed: Int) {
    let now = Instant.now()
    guard isShown, done == total || now - lastDrawn >= 100 else { return }
    lastDrawn = now
    StandardStreams.draw("\r\u{1B}[2K" + line(done: done, failed: failed, columns: StandardStreams.columns(of: 2)))
  }

  func finish() {
    if isShown { StandardStreams.draw("\n") }
  }

  func line(done: Int, failed: Int, columns: Int) -> String {
    let seconds = max(1, Instant.now() - startedAt) / 1_000
    let text = " \(done)/\(total) jobs\(failed > 0 ? ", \(failed) failed" : ""), \(seconds) s"
    return Self.line(text, columns: columns) { width in total > 0 ? width * done / total : width }
  }

  /// A bar before `text`, or the text alone where there is no room for one.
  /// - Parameter filled: how many of the bar's places, given their number.
  static func line(_ text: String, columns: Int, filled: (_ width: Int) -> Int) -> String {
    let width = min(40, columns - text.count - 3)
    guard width >= 5 else { return String(text.dropFirst().prefix(max(0, columns - 1))) }
    let count = filled(width)
    return "[" + String(repeating: "█", count: count) + String(repeating: "·", count: width - count) + "]" + text
  }
}
