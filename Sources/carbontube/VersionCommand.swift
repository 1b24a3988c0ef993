internal import ArgumentParser

enum ProductVersion {
  static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

  func run() {
    StandardStreams.say("carbontube \(ProductVersion.text) (plugin ABI 1, wire protocol 1)")
  }
}
