internal import ArgumentParser
internal import Glibc
internal import HostProtocol

/// Variables that a plugin's process is given, beside the few that every one gets.
struct EnvironmentOptions: ParsableArguments {
  @Option(
    name: .customLong("env"),
    help: ArgumentHelp(
      """
      A variable for the plugin: NAME passes this process' own on, which is not shown anywhere; of NAME=VALUE whoever may \
      list processes sees the value. Repeatable.
      """, valueName: "name[=value]"))
  var variables: [String] = []

  @Option(
    name: .customLong("env-file"),
    help: ArgumentHelp(
      "Variables for the plugin, NAME=VALUE one a line, in a file that only its owner may read. Repeatable.",
      valueName: "file"), completion: .file())
  var files: [String] = []

  func validate() throws {
    for word in variables {
      let name = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? ""
      if let problem = environmentNameProblem(name) { throw ValidationError("--env: \(problem)") }
    }
  }

  struct Given {
    var variables: [String: String] = [:]
    /// Those that no list of processes shows, and that nothing else is to show either.
    var secrets: [String] = []
  }

  /// Files first, in their order, then what stands on the command line; of a name that is given again the last counts.
  func given() throws(CommandFailure) -> Given {
    var given = Given()
    for file in files {
      let text = try PrivateFile.read(file, option: "--env-file", allows: .ownerAlone)
      let found = try EnvironmentFile(parsing: text, named: file).variables
      given.secrets += found.map(\.value)
      given.variables.merge(found.map { ($0.name, $0.value) }) { _, last in last }
    }
    for word in variables {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2 {
        given.variables[parts[0]] = parts[1]
      } else if let value = getenv(parts[0]).map({ String(cString: $0) }) {
        given.variables[parts[0]] = value
        given.secrets.append(value)
      } else {
        throw CommandFailure(
          .configuration,
          "--env \(parts[0]): this process has no variable \(parts[0]); set it, or give --env NAME=VALUE")
      }
    }
    return given
  }
}
