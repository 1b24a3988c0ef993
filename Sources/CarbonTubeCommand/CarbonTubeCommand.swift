// Whoever registers a store needs no further import.
@_exported public import CarbonTube

/// The whole `carbontube` command line, for a program to be: this is one that knows a store more.
///
///     var stores = StorageSchemes.standard
///     stores.register("files", written: "files:FOLDER") { address in try FileStore(address: address) }
///     CarbonTubeCommand.main(stores: stores)
public enum CarbonTubeCommand {
  /// Does what the command line of this process says and ends the process, with the exit status of what was done.
  ///
  /// - Parameter stores: what `--storage` may name; by default the stores that come with CarbonTube.
  public static func main(stores: StorageSchemes = .standard) -> Never {
    CarbontubeProgram.start(stores: stores)
  }
}
