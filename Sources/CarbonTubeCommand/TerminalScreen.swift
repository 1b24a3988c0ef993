internal import Synchronization

/// The other page of a terminal (xterm's alternate screen), so that what stood there is back afterwards.
final class TerminalScreen: Sendable {
  private enum State {
    case new, shown, left
  }

  private let state = Mutex(State.new)

  /// Draws over what was drawn before; lines beyond the last row are not shown. Nothing while the screen is left.
  func draw(_ lines: [String], rows: Int) {
    state.withLock { state in
      guard state != .left else { return }
      if state == .new { Self.begin() }
      state = .shown
      let shown = lines.count <= rows ? lines : lines.prefix(max(0, rows - 1)) + ["…"]
      // No line break after the last one: it would scroll.
      let text = shown.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
      StandardStreams.paint("\u{1B}[H" + text + "\u{1B}[J")
    }
  }

  func enter() {
    state.withLock { state in
      guard state == .left else { return }
      Self.begin()
      state = .shown
    }
  }

  /// With the cursor, which was hidden.
  func leave() {
    state.withLock { state in
      if state == .shown { StandardStreams.paint("\u{1B}[?25h\u{1B}[?1049l") }
      state = .left
    }
  }

  private static func begin() { StandardStreams.paint("\u{1B}[?1049h\u{1B}[?25l") }
}
