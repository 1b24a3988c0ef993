internal import ArgumentParser
internal import WireProtocol

enum ProductVersion {
  static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

  @Flag(help: "Print JSON: version, plugin_abi and wire_protocol.") var json = false

  private struct Document: Encodable {
    var version = ProductVersion.text
    var pluginAbi = 1
    var wireProtocol = Int(Prologue.version)
  }

  func run() {
    let document = Document()
    guard !json else { return StandardStreams.sayJSON(JSONText.of(document)) }
    StandardStreams.say(
      "carbontube \(document.version) (plugin ABI \(document.pluginAbi), wire protocol \(document.wireProtocol))")
  }
}
