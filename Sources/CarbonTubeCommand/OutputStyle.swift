internal import FoundationEssentials
internal import PipelineModel

/// How stdout is read, and what is made of a line for that.
struct OutputStyle {
  /// Of the terminal; nil: a file or a pipe, which gets everything.
  var columns: Int?
  var hasColour: Bool
  /// The moment from which ages are told; nil: moments are written out, since a file is read at another time.
  var now: Timestamp?

  static let plain = OutputStyle(columns: nil, hasColour: false, now: nil)

  static func current(environment: [String: String] = ProcessInfo.processInfo.environment) -> OutputStyle {
    guard StandardStreams.outputIsTerminal else { return .plain }
    return OutputStyle(
      columns: StandardStreams.columns(of: 1), hasColour: allowsColour(environment), now: .now())
  }

  /// By no-color.org, and not where the terminal says that it knows no escapes.
  static func allowsColour(_ environment: [String: String]) -> Bool {
    let terminal = environment["TERM"] ?? ""
    return (environment["NO_COLOR"] ?? "").isEmpty && !terminal.isEmpty && terminal != "dumb"
  }

  /// A moment, as far from now as it is where somebody looks.
  func text(_ moment: Timestamp) -> String {
    guard let now else { return moment.iso8601 }
    return RelativeTime.text(of: moment, seenFrom: now)
  }

  /// `text` in the colour of a state: what goes well, what works, what waits and what needs somebody.
  func coloured(_ text: String, state: String) -> String {
    guard hasColour, let code = Self.colour(of: state) else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  private static func colour(of state: String) -> Int? {
    switch state.prefix(while: { $0 != ":" && $0 != " " }) {
    case "succeeded", "serving", "done", "ok": 32
    case "running", "starting": 36
    case "delayed", "draining", "impaired", "stopped", "paused", "quarantined", "note": 33
    case "dead", "failed", "unreachable", "invalid", "incompatible", "crashed", "timeout", "fault": 31
    case "cancelled": 90
    default: nil
    }
  }

  /// Prose on lines that do not wrap, broken between words.
  func folded(_ line: String) -> [String] {
    let text = line.escapingControlCharacters
    guard let columns, TerminalWidth.of(text) > columns else { return [text] }
    var lines: [String] = []
    var open = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let isFirst = open.isEmpty
      if !isFirst, TerminalWidth.of(open) + 1 + TerminalWidth.of(word) > columns {
        lines.append(open)
        open = "  " + word
      } else {
        open += (isFirst ? "" : " ") + word
      }
    }
    return lines + [open]
  }
}
