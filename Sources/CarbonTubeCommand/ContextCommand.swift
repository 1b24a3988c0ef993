internal import ArgumentParser
internal import CarbonTube

struct ContextCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context",
    abstract: "Give coordinators names, and say which one is meant.",
    discussion: """
      A context is a name for the address of a coordinator. Commands go to the one that --context names, else to the \
      current one where neither --address nor CARBONTUBE_ADDRESS says another. They are kept in \
      $XDG_CONFIG_HOME/carbontube/config.json (~/.config/carbontube/config.json), or in the file that CARBONTUBE_CONFIG names.
      """,
    subcommands: [
      ContextListCommand.self, ContextUseCommand.self, ContextAddCommand.self, ContextRemoveCommand.self,
    ], defaultSubcommand: ContextListCommand.self)

  static func path() throws(CommandFailure) -> String {
    guard let path = ContextFile.path() else {
      throw CommandFailure(.configuration, "neither \(ContextFile.variable) nor HOME is set, so there are no contexts")
    }
    return path
  }
}

struct ContextListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the contexts.")

  @Flag(help: "Print a JSON object for each context.") var json = false

  private struct Entry: Encodable {
    var name: String
    var address: String
    var current: Bool
  }

  func run() throws {
    let path = try ContextCommand.path()
    let file = try ContextFile.read(path)
    let entries = file.contexts.sorted { $0.key < $1.key }.map { name, context in
      Entry(name: name, address: context.address, current: name == file.current)
    }
    guard !json else { return entries.forEach { StandardStreams.sayJSON(JSONText.of($0)) } }
    guard !entries.isEmpty else {
      return StandardStreams.say("no contexts in \(path); add one with: carbontube context add NAME ADDRESS")
    }
    var table = TextTable([.figure("CURRENT"), .name("CONTEXT"), .path("ADDRESS")])
    for entry in entries { table.add([entry.current ? "*" : "", entry.name, entry.address]) }
    table.say()
  }
}

struct ContextUseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use", abstract: "Say which context is meant from now on.")

  @Argument(help: "The context's name.", completion: .context) var name: String

  func run() throws {
    let path = try ContextCommand.path()
    // One whose current context is gone is mended by this.
    var file = try ContextFile.read(path, checksCurrent: false)
    let address = try file.address(of: name, in: path)
    file.current = name
    try file.write(path)
    StandardStreams.say("commands go to \(name), at \(address)")
  }
}

struct ContextAddCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "add", abstract: "Give a coordinator a name.")

  @Argument(help: "The context's name.") var name: String
  @Argument(help: "The pipeline's --job-pull, e.g. tcp://127.0.0.1:5050.") var address: String
  @Flag(help: "Have commands go there from now on.") var use = false

  func validate() throws {
    if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
  }

  func run() throws {
    try ContextFile.requireName(name)
    let path = try ContextCommand.path()
    var file = try ContextFile.read(path)
    if let there = file.contexts[name], there.address != address {
      throw CommandFailure(
        .refused, "context \(name) is there, as \(there.address); carbontube context remove \(name) removes it")
    }
    file.contexts[name] = ContextFile.Context(address: address)
    if use { file.current = name }
    try file.write(path)
    StandardStreams.say("added \(name), at \(address)\(use ? "; commands go there" : "")")
  }
}

struct ContextRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a context.")

  @Argument(help: "The context's name.", completion: .context) var name: String

  func run() throws {
    let path = try ContextCommand.path()
    var file = try ContextFile.read(path)
    _ = try file.address(of: name, in: path)
    file.contexts[name] = nil
    let wasCurrent = file.current == name
    if wasCurrent { file.current = nil }
    try file.write(path)
    StandardStreams.say("removed \(name)\(wasCurrent ? "; no context is current now" : "")")
  }
}
