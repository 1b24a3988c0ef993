/// What a command shows at once, ready for where it is read: once, or again and again.
struct Sheet {
  let style: OutputStyle
  private(set) var lines: [String] = []

  init(_ style: OutputStyle) { self.style = style }

  mutating func add(_ prose: String) { lines += style.folded(prose) }

  mutating func add(_ table: TextTable) {
    var table = table
    lines += table.takeLines(style)
  }

  /// Lines that are made for this style already.
  mutating func add(ready lines: [String]) { self.lines += lines }

  mutating func add(json text: String) { lines.append(StandardStreams.shownJSON(text)) }

  func say() {
    for line in lines { StandardStreams.sayVerbatim(line) }
  }
}
