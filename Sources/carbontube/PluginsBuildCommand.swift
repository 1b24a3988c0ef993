internal import ArgumentParser
internal import CarbonTube

struct PluginsBuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build the plugins of a project into its folder 'build', and verify them.",
    discussion: """
      Swift packages (their dynamic libraries), Cargo projects and Makefiles. A Swift plugin exports its entry alone, is \
      never unloaded, and is stripped.
      """)

  @Argument(help: "The project's folder.") var folder = "."
  @Flag(help: "Link Swift's runtime into it, for machines with another Swift than this one.")
  var selfContained = false

  func validate() throws { try requireText(folder, of: "the project's folder") }

  func run() throws {
    for file in try PluginBuild(folder: folder, isSelfContained: selfContained).run() {
      let description = PluginCatalog().describe(file: file, cached: .ignored)
      try PluginFile(description).verify()
      let offers =
        description.phases.map { "phase \($0.jobType)" } + description.pipelines.map { "pipeline \($0.name)" }
      let name = file.hasPrefix("./") ? String(file.dropFirst(2)) : file
      StandardStreams.say("\(name): \(description.id) \(description.version), \(offers.joined(separator: ", "))")
    }
  }
}
