internal import ArgumentParser
internal import CarbonTube
internal import FoundationEssentials
internal import Glibc

struct PluginsWatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Build the plugins of a project each time one of its files is saved, until Ctrl-C.",
    discussion: """
      As 'plugins build', and after it what is asked for: the project's tests, one phase in a child, a copy to where a \
      worker with --plugin-dir takes it up. What fails is told, and the next change is waited for. Files that builds make \
      (.build, build, target, Package.resolved, Cargo.lock) and hidden ones are not watched.
      """)

  @Argument(help: "The project's folder.", completion: .directory) var folder = "."
  @Flag(help: "As --debug of plugins build.") var debug = false
  @Flag(help: "Run the project's tests: swift test, its script 'test', cargo test or make test.") var test = false
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Run this phase once, as plugins test does.", valueName: "job-type"))
  var jobType: String?
  @Option(help: ArgumentHelp("With --run: a JSON object.", valueName: "json")) var instructions = "{}"
  @Option(
    help: ArgumentHelp(
      "Copy what was built and passed to this folder, e.g. a worker's --plugin-dir.", valueName: "dir"),
    completion: .directory)
  var pluginDir: String?

  func validate() throws {
    try requireText(folder, of: "the project's folder")
    try requireText(jobType, of: "--run")
    try requireText(pluginDir, of: "--plugin-dir")
    guard instructions == "{}" || jobType != nil else { throw ValidationError("--instructions needs --run") }
  }

  func run() throws {
    if let pluginDir, !FileManager.default.fileExists(atPath: pluginDir) {
      throw CommandFailure(.noInput, "--plugin-dir: \(pluginDir) does not exist; make the folder first")
    }
    var watch = try ProjectWatch(folder)
    let signals = StopSignals { _ in
      // The terminal tells a build as well; whoever sent a signal to this process alone did not.
      BuildTool.interrupt()
      _exit(0)
    }
    defer { withExtendedLifetime(signals) {} }
    StandardStreams.say("watching \(folder), \(watch.sources.files.count) files; Ctrl-C ends")
    while true {
      buildOnce()
      StandardStreams.say("waiting for a change")
      let changes = try watch.nextChange()
      let more = changes.count > 1 ? " and \(changes.count - 1) more" : ""
      StandardStreams.say("\n\(changes[0])\(more) changed")
    }
  }

  private func buildOnce() {
    do throws(CommandFailure) {
      let clock = ContinuousClock()
      let start = clock.now
      let built = try build()
      for file in built {
        StandardStreams.say("built \(Self.shown(file.path)) in \(Self.seconds(clock.now - start)): \(file.offers)")
      }
      if test { try runTests() }
      if let jobType { try runPhase(jobType, in: built) }
      if let pluginDir { for file in built { try copy(file.path, to: pluginDir) } }
    } catch {
      StandardStreams.complain("carbontube: \(error.message)")
    }
  }

  private struct Built {
    var path: String
    var offers: String
    var jobTypes: [String]
  }

  private func build() throws(CommandFailure) -> [Built] {
    var built: [Built] = []
    let files = try PluginBuild(folder: folder, isSelfContained: false, isForDebugging: debug).run()
    for path in files {
      let description = PluginCatalog().describe(file: path, cached: .ignored)
      try PluginFile(description).verify()
      let phases = description.phases.map(\.jobType)
      let offers = phases.map { "phase \($0)" } + description.pipelines.map { "pipeline \($0.name)" }
      built.append(
        Built(
          path: path, offers: "\(description.id) \(description.version), \(offers.joined(separator: ", "))",
          jobTypes: phases))
    }
    return built
  }

  private func runTests() throws(CommandFailure) {
    func has(_ name: String) -> Bool { access("\(folder)/\(name)", F_OK) == 0 }
    let words =
      has("Package.swift")
      ? ["swift", "test"]
      : access("\(folder)/test", X_OK) == 0
        ? ["./test"] : has("Cargo.toml") ? ["cargo", "test"] : ["make", "test"]
    try BuildTool.run(words, in: folder)
    StandardStreams.say("passed: \(words.joined(separator: " "))")
  }

  private func runPhase(_ jobType: String, in built: [Built]) throws(CommandFailure) {
    guard let file = built.first(where: { $0.jobTypes.contains(jobType) }) else {
      let known = built.flatMap(\.jobTypes).joined(separator: ", ")
      throw CommandFailure(.usage, "--run: nothing that was built has a phase '\(jobType)'; there is: \(known)")
    }
    do {
      try PluginsTestCommand.parse([file.path, jobType, instructions]).run()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(.usage, "--run \(jobType): \(error)")
    }
  }

  /// Under another name until it is whole: a worker takes up whatever it finds.
  private func copy(_ path: String, to folder: String) throws(CommandFailure) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let draft = "\(folder)/.\(name).new"
    do {
      try? FileManager.default.removeItem(atPath: draft)
      try FileManager.default.copyItem(atPath: path, toPath: draft)
    } catch {
      throw CommandFailure(.unavailable, "\(folder) could not be written: \(reason(of: error))")
    }
    guard rename(draft, "\(folder)/\(name)") == 0 else {
      throw CommandFailure(.unavailable, "\(folder)/\(name) could not be written: \(String(cString: strerror(errno)))")
    }
    StandardStreams.say("copied to \(folder)/\(name)")
  }

  private static func shown(_ path: String) -> String { path.hasPrefix("./") ? String(path.dropFirst(2)) : path }

  private static func seconds(_ duration: Duration) -> String {
    let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
    return "\(tenths / 10).\(tenths % 10) s"
  }
}
