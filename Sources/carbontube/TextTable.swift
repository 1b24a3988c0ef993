internal import PipelineModel

/// Columns that line up. Widths count characters, not bytes.
struct TextTable {
  private var rows: [[String]]

  init(_ titles: [String]) { rows = [titles] }

  /// What a cell holds may come from outside.
  mutating func add(_ cells: [String]) { rows.append(cells.map(\.escapingControlCharacters)) }

  /// - Parameter columns: lines are cut to this many characters; nil: never.
  func lines(columns: Int?) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (index, cell) in row.enumerated() {
        if index == widths.count { widths.append(0) }
        widths[index] = max(widths[index], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        line += cell
        if index + 1 < row.count { line += String(repeating: " ", count: widths[index] - cell.count + 2) }
      }
      while line.last == " " { line.removeLast() }
      guard let columns, line.count > columns else { return line }
      return line.prefix(columns - 1) + "…"
    }
  }

  /// On a terminal no line wraps; a file or a pipe gets everything.
  func say() {
    let columns = StandardStreams.outputIsTerminal ? StandardStreams.columns(of: 1) : nil
    for line in lines(columns: columns) { StandardStreams.say(line) }
  }
}
