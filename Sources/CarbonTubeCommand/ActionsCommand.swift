internal import ArgumentParser
internal import CarbonTube

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

  func run() throws {
    let answer = try coordinator.ask(Verbs.Actions.self, NoArguments())
    guard !json else { return StandardStreams.sayJSON(String(decoding: answer.json, as: UTF8.self)) }
    var table = TextTable([
      .name("ACTION"), .figure("VERB"), .state("STATE"), .figure("CHANGED"), .figure("LOOKED AT", spare: 1),
      .words("ERROR"),
    ])
    for action in try answer.document().actions {
      table.add([
        action.action, action.verb, action.state, String(action.changed), String(action.examined), action.error ?? "",
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
    let stopped = try coordinator.ask(Verbs.StopAction.self, .init(id: id)).document()
    StandardStreams.say("stopped \(id): \(stopped.changed) jobs were changed")
  }
}
