internal import ArgumentParser
internal import CarbonTube

struct PluginsNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Begin a plugin: write a project that builds and passes its own test.",
    discussion: "The project has one phase and one pipeline, both of the name given. Its script 'test' does the rest.")

  @Argument(help: "Of the project and its phase: lower-case letters, digits and '-', e.g. resize-image.")
  var name: String
  @Option(help: "swift, c, cpp or rust.") var language = PluginLanguage.swift
  @Option(
    help: ArgumentHelp("Where to write it. Default: a folder of the project's name.", valueName: "dir"),
    completion: .directory)
  var directory: String?

  func validate() throws {
    guard name.count <= 64, let first = name.first, first.isLetter, name.last != "-",
      name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
    else {
      throw ValidationError(
        "'\(name)' must be 1 to 64 lower-case letters, digits and '-', a letter first; for example resize-image")
    }
  }

  func run() throws {
    let template = PluginTemplate(sdk: try PluginSDK(), language: language, name: name)
    let folder = directory ?? name
    try template.write(to: folder)
    StandardStreams.say("\(folder): a plugin in \(language.rawValue); build and try it with \(folder)/test")
  }
}
