internal import ArgumentParser
internal import CarbonTube
internal import Glibc
internal import HostSupervision

struct CarbontubeProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "carbontube",
    abstract: "Runs native code as the phases of pipelines: many times, on many machines.",
    discussion: """
      A phase is a unit of work in a shared object, a pipeline an ordered list of phases. Start a coordinator for the \
      pipeline, as many workers as you like for each phase, and enqueue jobs:

        carbontube pipeline plugins/libExample.so example-one
        carbontube phase plugins/libExample.so generate-file
        carbontube phase plugins/libHashFile.so calculate-hash
        carbontube phase plugins/libExample.so delete-file
        carbontube enqueue tcp://127.0.0.1:5050 example-one '{"size": 10}'

      Or do it all in one command:

        carbontube run plugins/libExample.so example-one '{"size": 10}'

      Commands that talk to a coordinator find it by --address or --context, else by CARBONTUBE_ADDRESS, else by the \
      current context, else at tcp://127.0.0.1:5050.
      """,
    version: ProductVersion.text,
    groupedSubcommands: [
      CommandGroup(
        name: "Serving",
        subcommands: [PipelineCommand.self, PhaseCommand.self, RunCommand.self, WebCommand.self, ForwarderCommand.self]),
      CommandGroup(
        name: "Jobs",
        subcommands: [
          EnqueueCommand.self, AttachCommand.self, JobCommand.self, JobsCommand.self, CancelCommand.self,
          RequeueCommand.self,
          DeleteCommand.self, ActionsCommand.self,
        ]),
      CommandGroup(
        name: "Operating",
        subcommands: [
          StatusCommand.self, WorkersCommand.self, LogsCommand.self, MetricsCommand.self, PauseCommand.self,
          ResumeCommand.self, DrainCommand.self, PluginsCommand.self, ContextCommand.self, DoctorCommand.self,
          VersionCommand.self,
        ]),
    ])

  static func start(stores: StorageSchemes) -> Never {
    // A reader that went away (`carbontube jobs | head`) or a peer that closed is an error of that call, not the end.
    signal(SIGPIPE, SIG_IGN)
    StandardStreams.keepPlaces()
    end(with: runCommand(stores))
  }

  /// - Returns: the exit status; whatever is to be said about it has been.
  private static func runCommand(_ stores: StorageSchemes) -> Int32 {
    do {
      let words = try CommandLineWords.checked()
      var command = try parseAsRoot(words)
      if let command = command as? any StoringCommand {
        try command.run(stores: stores)
      } else {
        try command.run()
      }
      return 0
    } catch let failure as CommandFailure {
      StandardStreams.complain("carbontube: \(failure.message)")
      return failure.status.rawValue
    } catch {
      // Help and the version are what was asked for; the rest is the command line's fault.
      let code = exitCode(for: error)
      let text = fullMessage(for: error)
      if code.isSuccess {
        StandardStreams.sayVerbatim(text)
      } else if !text.isEmpty {
        StandardStreams.complainVerbatim(CommandLineWords.shown(text))
      }
      return code.rawValue
    }
  }

  private static func end(with status: Int32) -> Never {
    PluginHost.waitForRemovals()
    LogLines.standardError.flush(upToMilliseconds: 1_000)
    guard let failure = StandardStreams.failure else { Glibc.exit(status) }
    StandardStreams.complain("carbontube: \(failure.message)")
    Glibc.exit(status == 0 ? ExitStatus.output.rawValue : status)
  }
}
