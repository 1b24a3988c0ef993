internal import ArgumentParser
internal import CarbonTube

struct PluginsBuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build the plugins of a project into its folder 'build', and verify them.",
    discussion: """
      Swift packages (their dynamic libraries), Cargo projects and Makefiles. A Swift plugin exports its entry alone, is \
      never unloaded, and carries names of functions but no lines; for those there is --debug.
      """)

  @Argument(help: "The project's folder.", completion: .directory) var folder = "."
  @Flag(help: "Link Swift's runtime into it, for machines with another Swift than this one.")
  var selfContained = false
  @Flag(
    help: """
      Without optimization, with file and line for debuggers and traces of crashes: swift -c debug, make DEBUG=1, \
      cargo's dev profile.
      """)
  var debug = false

  func validate() throws { try requireText(folder, of: "the project's folder") }

  func run() throws {
    let build = PluginBuild(folder: folder, isSelfContained: selfContained, isForDebugging: debug)
    for file in try build.run() {
      let description = PluginCatalog().describe(file: file, cached: .ignored)
      try PluginFile(description).verify()
      let offers =
        description.phases.map { "phase \($0.jobType)" } + description.pipelines.map { "pipeline \($0.name)" }
      let name = file.hasPrefix("./") ? String(file.dropFirst(2)) : file
      StandardStreams.say("\(name): \(description.id) \(description.version), \(offers.joined(separator: ", "))")
    }
  }
}
