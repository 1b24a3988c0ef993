internal import ArgumentParser

struct ActionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "actions",
    abstract: "Show or stop what the coordinator does to many jobs in the background.",
    subcommands: [ActionsListCommand.self, ActionsStopCommand.self], defaultSubcommand: ActionsListCommand.self)
}

struct ActionsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the actions, oldest first.")

  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print the coordinator's answer as JSON.") var json = false

  private struct Answer: Decodable {
    var actions: [ActionDocument]
  }

  func run() throws {
    let answer = try coordinator.ask("actions", VerbDocument())
    guard !json else { return StandardStreams.sayJSON(String(decoding: answer.document, as: UTF8.self)) }
    let actions = try JSONText.decode(Answer.self, from: answer.document).actions
    var table = TextTable([
      .name("ACTION"), .figure("VERB"), .state("STATE"), .figure("CHANGED"), .figure("LOOKED AT", spare: 1),
      .words("ERROR"),
    ])
    for action in actions {
      table.add([
        action.action ?? "", action.verb ?? "", action.state ?? "", String(action.changed ?? 0),
        String(action.examined ?? 0), action.error ?? "",
      ])
    }
    table.say()
  }
}

struct ActionsStopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop an action; what it has changed stays changed.")

  @Argument(help: "The action's id.") var id: String
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws { try requireText(id, of: "the action's id") }

  func run() throws {
    let answer = try coordinator.ask("stop-action", VerbDocument(id: id))
    let document = try JSONText.decode(ActionDocument.self, from: answer.document)
    StandardStreams.say("stopped \(id): \(document.changed ?? 0) jobs were changed")
  }
}
