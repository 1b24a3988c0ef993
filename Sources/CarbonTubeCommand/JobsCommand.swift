internal import ArgumentParser
internal import CarbonTube

struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List jobs, newest first; all, or those that match.",
    usage: "carbontube jobs [<options>]",
    discussion: """
      --since and --until are about the last change of a job, which the table shows. Both take an age, such as 10m or 2h, \
      or a time such as 2030-01-31T12:00:00Z.

      --containing searches the instructions of each job that matches, as they are stored, byte for byte; it takes a while \
      where they are many.
      """)

  @OptionGroup var filter: JobFilterOptions
  @OptionGroup var span: JobSpanOptions
  @Option(help: ArgumentHelp("Part of the instructions.", valueName: "text")) var containing: String?
  @OptionGroup var watching: WatchOptions
  @OptionGroup var coordinator: CoordinatorOptions
  @Option(help: "How many at most. (default: 50)") var limit: Int?
  @Flag(help: "Every one, however many there are.") var all = false
  @Flag(help: "Begin with the job that was enqueued first.") var oldest = false
  @OptionGroup var output: OutputOptions
  @OptionGroup var choice: ColumnOptions
  @Flag(help: "Print how many there are, and no more.") var count = false

  private static let usualLimit = 50

  func validate() throws {
    try requireText(containing, of: "--containing")
    guard containing?.utf8.count ?? 0 <= 256 else { throw ValidationError("--containing may have 256 bytes") }
    guard limit ?? 1 > 0 else { throw ValidationError("--limit must be at least 1") }
    guard !all || limit == nil else { throw ValidationError("give either --all or --limit") }
    guard !count || (output.form == .text && choice.columns == nil) else {
      throw ValidationError("give either --count or --json, --output or --columns")
    }
    try choice.validate(for: output.form, of: JobDocument.columns)
    guard !count || watching.watch == nil else { throw ValidationError("give either --count or --watch") }
    guard !all || watching.watch == nil else { throw ValidationError("give either --all or --watch") }
  }

  func run() throws {
    guard try !watching.showAgainAndAgain(from: coordinator, isJSON: output.form.isDocument, look) else { return }
    let connection = try coordinator.connected()
    if count { return try showCount(connection) }
    var lines = try JobOutput(.current(), output.form, columns: choice.columns) { StandardStreams.sayVerbatim($0) }
    let isCut = try list(connection, &lines)
    if isCut, StandardStreams.outputIsTerminal {
      StandardStreams.complain("there are more; --limit or --all shows them")
    }
  }

  private func look(_ connection: CoordinatorConnection, _ sheet: inout Sheet) throws {
    var lines: [String] = []
    var found = try JobOutput(sheet.style, output.form, columns: choice.columns) { lines.append($0) }
    _ = try list(connection, &found)
    sheet.add(ready: lines)
  }

  /// - Returns: whether there are more than were to be shown.
  private func list(_ connection: CoordinatorConnection, _ output: inout JobOutput) throws -> Bool {
    let limit = all ? Int.max : limit ?? Self.usualLimit
    let scan = try scan(connection)
    guard oldest else { return try scan.show(limit, &output) }
    try scan.showOldest(limit, &output)
    return false
  }

  private func scan(_ connection: CoordinatorConnection) throws -> JobScan {
    JobScan(connection: connection, selection: try JobSelection(filter, span), containing: containing)
  }

  // MARK: Counting

  private func showCount(_ connection: CoordinatorConnection) throws {
    guard containing == nil else { return StandardStreams.say(String(try scan(connection).count())) }
    switch try connection.ask(Verbs.Count.self, try JobSelection(filter, span).arguments()).document() {
    case .counted(let count, let more): StandardStreams.say("\(more ? "more than " : "")\(count)")
    case .action(let action):
      let counted = try BackgroundAction(id: action.action, done: "counted", connection: connection).follow(action)
      StandardStreams.say(String(counted))
    }
  }
}

/// Lines about jobs, page by page: a table, or a document each.
struct JobOutput {
  private let style: OutputStyle
  private let form: OutputForm
  private let put: (String) -> Void
  private let columns: TableColumns
  private var table: TextTable

  init(_ style: OutputStyle, _ form: OutputForm, columns: String?, _ put: @escaping (String) -> Void) throws {
    self.style = form.style(style)
    self.form = form
    self.put = put
    self.columns = try TableColumns(JobDocument.columns, form: form, named: columns)
    table = self.columns.table
  }

  mutating func add(_ found: JobScan.Found) {
    guard form.isDocument else { return table.add(columns.shown(found.job.row(style))) }
    let instructions = JSONText.onOneLine(JSONText.json(in: found.payload))
    put(form.document(#"{"job":\#(JSONText.of(found.job)),"instructions":\#(instructions)}"#))
  }

  mutating func endPage() {
    guard !form.isDocument else { return }
    for line in table.takeLines(style) { put(line) }
  }
}
