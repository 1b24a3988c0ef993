/// The whole `carbontube` command line, for a program to be.
public enum CarbonTubeCommand {
  /// Runs what the command line of this process says and ends the process with the exit status of that.
  public static func main() -> Never { CarbontubeProgram.start() }
}
