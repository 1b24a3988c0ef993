internal import PipelineModel

/// Columns that line up, and on a terminal fit it.
struct TextTable {
  struct Column {
    enum Kind {
      /// What a row is called by: cut only where nothing else can give way.
      case name
      /// As a name, but its end says most.
      case path
      /// Gives way first: the widest is cut.
      case words
      /// Never cut, since a number without its last digits is another one.
      case figure
      /// As a figure, in its colour.
      case state
    }

    var title: String
    var kind: Kind
    /// Columns that are left out of a terminal too narrow for all, the highest first; 0: never.
    var spare: Int

    static func name(_ title: String) -> Column { Column(title: title, kind: .name, spare: 0) }
    static func path(_ title: String) -> Column { Column(title: title, kind: .path, spare: 0) }
    static func words(_ title: String, spare: Int = 0) -> Column { Column(title: title, kind: .words, spare: spare) }
    static func figure(_ title: String, spare: Int = 0) -> Column { Column(title: title, kind: .figure, spare: spare) }
    static func state(_ title: String) -> Column { Column(title: title, kind: .state, spare: 0) }
  }

  private let columns: [Column]
  private var rows: [[String]] = []
  /// Of all that were added, so that later pages line up with those before as far as they can.
  private var widths: [Int]
  private var hasShownTitles = false

  init(_ columns: [Column]) {
    self.columns = columns
    widths = columns.map { TerminalWidth.of($0.title) }
  }

  var count: Int { rows.count }

  /// What a cell holds may come from outside.
  mutating func add(_ cells: [String]) {
    let shown = cells.map(\.escapingControlCharacters)
    for (index, cell) in shown.enumerated() { widths[index] = max(widths[index], TerminalWidth.of(cell)) }
    rows.append(shown)
  }

  /// The rows that were added since the last time; titles before the first.
  mutating func takeLines(_ style: OutputStyle) -> [String] {
    let layout = TableLayout(columns: columns, widths: widths, limit: style.columns)
    var lines: [String] = []
    if !hasShownTitles { lines.append(layout.line(columns.map(\.title), style: style, isTitle: true)) }
    hasShownTitles = true
    lines += rows.map { layout.line($0, style: style) }
    rows = []
    return lines
  }

  /// On a terminal no line wraps; a file or a pipe gets everything.
  mutating func say() {
    for line in takeLines(.current()) { StandardStreams.sayVerbatim(line) }
  }
}

/// Which columns of a table are shown, and how wide.
private struct TableLayout {
  private static let gap = 2
  /// Words and names that are cut keep this much.
  private static let leastWords = 12
  private static let leastName = 8

  private let columns: [TextTable.Column]
  /// Nil: left out.
  private var widths: [Int?]
  private let limit: Int?

  init(columns: [TextTable.Column], widths: [Int], limit: Int?) {
    self.columns = columns
    self.widths = widths
    self.limit = limit
    guard let limit else { return }
    cut(widths, to: limit) { $0 == .words }
    for column in columns.indices.filter({ columns[$0].spare > 0 }).sorted(by: { columns[$0].spare > columns[$1].spare }
    ) {
      guard total > limit else { return }
      self.widths[column] = nil
      cut(widths, to: limit) { $0 == .words }
    }
    guard total > limit else { return }
    cut(self.widths.map { $0 ?? 0 }, to: limit) { $0 == .name || $0 == .path }
  }

  private var total: Int {
    let shown = widths.compactMap(\.self)
    return shown.reduce(0, +) + Self.gap * max(0, shown.count - 1)
  }

  /// The widest give way first, until all have the least.
  private mutating func cut(_ natural: [Int], to limit: Int, _ givesWay: (TextTable.Column.Kind) -> Bool) {
    for cap in (0...limit).reversed() {
      for index in columns.indices where widths[index] != nil && givesWay(columns[index].kind) {
        let least = columns[index].kind == .words ? Self.leastWords : Self.leastName
        widths[index] = min(natural[index], max(cap, least))
      }
      if total <= limit { return }
    }
  }

  /// - Parameter cells: escaped already; colours are the only escapes of the line.
  func line(_ cells: [String], style: OutputStyle, isTitle: Bool = false) -> String {
    var line = ""
    var used = 0
    var owed = 0
    for (index, cell) in cells.enumerated() {
      guard let width = widths[index] else { continue }
      let room = limit.map { $0 - used - owed } ?? .max
      let text = TerminalWidth.cut(cell, to: max(0, min(width, room)), keepsEnd: columns[index].kind == .path)
      if !text.isEmpty {
        line += String(repeating: " ", count: owed)
        let isState = columns[index].kind == .state && !isTitle
        line += isState ? style.coloured(text, state: cell) : text
        used += owed + TerminalWidth.of(text)
        owed = 0
      }
      owed += width - TerminalWidth.of(text) + Self.gap
    }
    return line
  }
}
