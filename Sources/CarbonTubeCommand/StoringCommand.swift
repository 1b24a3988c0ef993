internal import ArgumentParser
internal import CarbonTube

/// A command that opens a store: `CarbontubeProgram` hands it those that the program knows, instead of calling `run()`.
protocol StoringCommand: ParsableCommand {
  func run(stores: StorageSchemes) throws
}
