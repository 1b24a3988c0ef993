internal import ArgumentParser

/// In what form a command shows what it found.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
  /// For people: what fits.
  case text
  /// For people: every column, however wide.
  case wide
  case json
  case yaml

  /// A document for each thing, rather than a table.
  var isDocument: Bool { self == .json || self == .yaml }

  func style(_ style: OutputStyle) -> OutputStyle {
    guard self == .wide else { return style }
    var style = style
    style.columns = nil
    return style
  }

  /// - Parameter json: valid JSON.
  func document(_ json: String) -> String {
    self == .yaml ? "---\n" + YAMLText.of(JSONText.shown(Array(json.utf8))) : StandardStreams.shownJSON(json)
  }
}

struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: "text, wide (every column, however wide), json (an object for each, one a line) or yaml. (default: text)")
  var output: OutputForm?
  @Flag(help: "As --output json.") var json = false

  func validate() throws {
    guard output == nil || !json else { throw ValidationError("give either --json or --output") }
  }

  var form: OutputForm { json ? .json : output ?? .text }
}

/// Which columns of a table are shown.
struct ColumnOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The columns of the table, by their titles, in this order, divided by commas; those of -o wide as well.",
      valueName: "names"))
  var columns: String?

  /// - Throws: where one is not known, or a document was asked for.
  func validate(for form: OutputForm, of known: [TableColumns.Column]) throws {
    guard let columns else { return }
    guard !form.isDocument else { throw ValidationError("--columns is for tables; give either it or --output \(form)") }
    _ = try TableColumns(known, form: form, named: columns)
  }
}

/// A table's columns, as far as they are to be shown.
struct TableColumns {
  struct Column {
    var column: TextTable.Column
    /// Only where everything is to be shown, or this by its name.
    var isWide: Bool

    static func usual(_ column: TextTable.Column) -> Column { Column(column: column, isWide: false) }
    static func wide(_ column: TextTable.Column) -> Column { Column(column: column, isWide: true) }

    var name: String { column.title.lowercased().replacing(" ", with: "-") }
  }

  private let places: [Int]
  private let columns: [TextTable.Column]

  /// - Parameter named: nil: those of the form.
  init(_ known: [Column], form: OutputForm, named: String?) throws(ValidationError) {
    guard let named else {
      places = known.indices.filter { form == .wide || !known[$0].isWide }
      columns = places.map { known[$0].column }
      return
    }
    var places: [Int] = []
    for word in named.split(separator: ",", omittingEmptySubsequences: false) {
      guard let place = known.firstIndex(where: { $0.name == word.lowercased() }) else {
        throw ValidationError(
          "no column '\(excerpt(String(word)))'; there are \(known.map(\.name).joined(separator: ", "))")
      }
      guard !places.contains(place) else { throw ValidationError("column '\(word)' is named twice") }
      places.append(place)
    }
    self.places = places
    // Whoever names a column wants to see it.
    columns = places.map { place in
      var column = known[place].column
      column.spare = 0
      return column
    }
  }

  var table: TextTable { TextTable(columns) }

  /// - Parameter cells: of all columns that are known.
  func shown(_ cells: [String]) -> [String] { places.map { cells[$0] } }
}
