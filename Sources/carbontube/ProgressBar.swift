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
    let width = min(40, columns - text.count - 3)
    guard width >= 5 else { return String(text.dropFirst().prefix(max(0, columns - 1))) }
    let filled = total > 0 ? width * done / total : width
    return "[" + String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled) + "]" + text
  }
}
