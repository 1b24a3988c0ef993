internal import ArgumentParser
internal import CarbonTube
internal import Glibc

struct PluginsReleaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Let a plugin run again that was quarantined for its crashes.",
    discussion: "Running workers of this machine and user take it up within a second.")

  @Argument(help: ArgumentHelp("The plugin's file, or the first digits of its SHA-256.", valueName: "library|sha256"))
  var plugin: String

  func validate() throws { try requireText(plugin, of: "the plugin") }

  func run() throws {
    let quarantine = Quarantine()
    let isFile = access(plugin, F_OK) == 0
    let wanted = isFile ? PluginCatalog().describe(file: plugin).sha256 : plugin.lowercased()
    let found = quarantine.records().filter { wanted.count >= 6 && $0.sha256.hasPrefix(wanted) }
    guard let record = found.first else {
      throw CommandFailure(.noInput, "\(plugin) is not quarantined; carbontube plugins list shows what is")
    }
    guard found.count == 1 else {
      throw CommandFailure(.usage, "\(found.count) quarantined plugins begin with \(plugin); give more digits")
    }
    guard quarantine.release(record.sha256) else {
      throw CommandFailure(.unavailable, "\(plugin) could not be released; is \(StateFolder.path()) writable?")
    }
    StandardStreams.say("\(record.file) \(record.sha256.prefix(12)): released")
  }
}
