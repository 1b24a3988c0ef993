/// What a command shows at once, ready for where it is read: once, or again and again.
struct Sheet {
  private(set) var style: OutputStyle
  private(set) var lines: [String] = []

  init(_ style: OutputStyle) { self.style = style }

  /// From now on.
  mutating func take(_ form: OutputForm) { style = form.style(style) }

  mutating func add(_ prose: String) { lines += style.folded(prose) }

  mutating func add(_ table: TextTable) {
    var table = table
    lines += table.takeLines(style)
  }

  /// Lines that are made for this style already.
  mutating func add(ready lines: [String]) { self.lines += lines }

  mutating func add(_ document: String, as form: OutputForm) { lines.append(form.document(document)) }

  func say() {
    for line in lines { StandardStreams.sayVerbatim(line) }
  }
}
