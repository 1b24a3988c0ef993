internal import ArgumentParser
internal import CarbonTube

struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "Look at plugin files, without loading them into this process.",
    subcommands: [
      PluginsListCommand.self, PluginsInspectCommand.self, PluginsVerifyCommand.self, PluginsReleaseCommand.self,
      PluginsNewCommand.self, PluginsBuildCommand.self, PluginsTestCommand.self, PluginsWatchCommand.self,
    ])
}

struct PluginsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the plugins that are found, good and bad ones alike.",
    discussion: """
      Looks for *.so in the folders of --plugin-dir, else in those of CARBONTUBE_PLUGIN_PATH (separated by ':'), \
      ./plugins and the installed folder.
      """)

  @Option(help: ArgumentHelp("A folder to look in; repeatable.", valueName: "dir"), completion: .directory)
  var pluginDir: [String] = []
  @Flag(help: "Print a JSON object for each file.") var json = false
  @Flag(help: "Look at each file anew, whatever was found out before.") var rescan = false

  func run() throws {
    let folders = pluginDir.isEmpty ? PluginSearch.defaultFolders() : pluginDir
    try PluginSearch.requireFolders(pluginDir)
    let files = folders.flatMap { PluginFolder.files(in: $0) ?? [] }
    let descriptions = PluginCatalog().describe(files: files, cached: rescan ? .ignored : .asFound)
    if json {
      for description in descriptions { StandardStreams.sayJSON(JSONText.of(description)) }
      return
    }
    guard !descriptions.isEmpty else {
      return StandardStreams.complain("no plugins in \(folders.joined(separator: ", "))")
    }
    var table = TextTable([
      .path("FILE"), Self.stateColumn(descriptions), .words("PHASES"), .words("PIPELINES", spare: 1),
      .words("ID", spare: 3), .words("VERSION", spare: 2), .figure("SHA256", spare: 4), .words("BUILD", spare: 5),
    ])
    for description in descriptions { table.add(description.row) }
    table.say()
  }

  /// The state of a file that cannot be used is a sentence, and gives way as one.
  private static func stateColumn(_ descriptions: [PluginDescription]) -> TextTable.Column {
    descriptions.contains { $0.problem != nil } ? .words("STATE") : .state("STATE")
  }
}

struct PluginsInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show all that a plugin says about itself, with the schemas of its phases.")

  @Argument(help: "The plugin's file.", completion: .plugin) var library: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let description = PluginCatalog().describe(file: try PluginFile.path(library))
    if json {
      StandardStreams.sayJSON(JSONText.of(description))
    } else {
      for line in description.lines { StandardStreams.say(line) }
    }
    if let problem = description.problem { throw CommandFailure(.data, problem) }
  }
}

struct PluginsVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Exit with 0 where a file is a plugin that can be used, else say why it is not.")

  @Argument(help: "The plugin's file.", completion: .plugin) var library: String
  @OptionGroup var report: ReportOptions

  func run() throws {
    do throws(CommandFailure) {
      try PluginFile(library).verify()
      report.say("\(library): ok", ChangeReport(command: "plugins verify", ok: true, target: library))
    } catch {
      if report.json {
        ChangeReport(command: "plugins verify", ok: false, target: library, message: error.message).say()
      }
      throw error
    }
  }
}

/// `-` keeps empty cells visible, and scripts that split at blanks right.
private func listed(_ words: [String]) -> String {
  let text = words.joined(separator: ",")
  return text.isEmpty ? "-" : text
}

extension PluginDescription {
  fileprivate var row: [String] {
    let state = problem.map { "\(self.state.word): \($0.dropFirst(file.count + 1))" } ?? self.state.word
    return [
      file, state, listed(phases.map(\.jobType)), listed(pipelines.map(\.name)), listed([id]), listed([version]),
      listed([String(sha256.prefix(12))]), listed([build]),
    ]
  }

  fileprivate var lines: [String] {
    var lines = [id.isEmpty ? file : "\(file): \(id) \(version)"]
    if !summary.isEmpty { lines.append("  \(summary)") }
    lines.append("  state   \(state.word)")
    if case .crashed(_, let tail) = state {
      for line in tail.split(separator: "\n").suffix(20) { lines.append("  stderr  \(line)") }
    }
    if !build.isEmpty { lines.append("  build   \(build), ABI \(abi)") }
    if !sha256.isEmpty { lines.append("  sha256  \(sha256)") }
    for phase in phases {
      lines.append("  phase \(phase.jobType) \(phase.version)\(phase.summary.isEmpty ? "" : ": \(phase.summary)")")
      if let schema = phase.inputSchema { lines.append("    input   \(schema)") }
      if let schema = phase.outputSchema { lines.append("    output  \(schema)") }
      if let schema = phase.settingsSchema { lines.append("    settings \(schema)") }
    }
    for pipeline in pipelines {
      lines.append(
        "  pipeline \(pipeline.name) \(pipeline.version)\(pipeline.summary.isEmpty ? "" : ": \(pipeline.summary)")")
      lines.append("    \(pipeline.definition)")
    }
    return lines
  }
}
