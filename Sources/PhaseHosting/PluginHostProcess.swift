import CHostProcess
import CPhaseABI
import Glibc
import HostProtocol

/// The whole life of a child that holds one plugin.
public enum PluginHostProcess {
  /// Serves the parent until it says stop or goes away; never returns. Call it from the main thread, first thing.
  /// - Parameter words: the command line without the program's name (`HostArguments`).
  public static func run(_ words: [String]) -> Never {
    guard let arguments = HostArguments(words) else {
      complain("carbontube-plugin-host is started by carbontube, not by hand")
    }
    guard let channel = openChannel() else {
      complain("carbontube-plugin-host has no channels to a parent: it is started by carbontube, not by hand")
    }
    do {
      try divideProcess()
      try restrictProcess(arguments)
    } catch {
      refuse(HostRefusalError(.hostMisuse, error.reason), on: channel)
    }
    channel.send(.begun(revision: HostReport.currentRevision))
    // What is printed before a crash must not stay behind in this process.
    host_print_by_lines()
    host_trace_from_callers()
    let running = CurrentJob(channel: channel)
    let control = ControlLoop(running: running)
    control.start()
    do {
      let setup = try receiveSetup(for: arguments.role)
      let library = try PluginLibrary(loading: arguments.library)
      let description = try LibraryDescription(reading: library.plugin)
      let session = HostSession(
        library: library, description: description, arguments: arguments, setup: setup, channel: channel,
        running: running,
        control: control)
      startThread(stackSize: 8 << 20) { session.runAndExit() }
      serveMainQueue(of: library)
    } catch {
      refuse(error, on: channel)
    }
  }
}

/// Nil where the parent has not put the channels where they belong.
private func openChannel() -> ReportChannel? {
  for descriptor in [HostDescriptor.jobs, HostDescriptor.control] {
    guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { return nil }
  }
  return ReportChannel(descriptor: HostDescriptor.jobs)
}

func refuse(_ error: HostRefusalError, on channel: ReportChannel) -> Never {
  channel.send(.refused(error.refusal))
  _exit(HostExitCode.refused)
}

/// Main-actor code in a phase needs somebody to run the main queue. This program links no libdispatch; a plugin that
/// does brings it along, and then the main thread is lent to it.
private func serveMainQueue(of library: PluginLibrary) -> Never {
  if let symbol = dlsym(library.handle, "dispatch_main") {
    unsafeBitCast(symbol, to: (@convention(c) () -> Void).self)()
  }
  while true { pause() }
}

private func complain(_ line: String) -> Never {
  let text = Array("\(line)\n".utf8)
  _ = write(STDERR_FILENO, text, text.count)
  _exit(HostExitCode.misused)
}
