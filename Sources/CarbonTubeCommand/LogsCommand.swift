internal import ArgumentParser
internal import CarbonTube
internal import Dispatch
internal import Glibc

struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Show what phases log, and which jobs fail and why.",
    discussion: """
      The coordinator keeps the last lines in memory (4 MiB); with --follow new ones are shown as they come, until Ctrl-C, \
      through restarts of the coordinator as well.
      """)

  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(name: .shortAndLong, help: "Go on with new lines as they come.") var follow = false
  @Option(help: ArgumentHelp("Lines of this job.", valueName: "id")) var job: String?
  @Option(help: ArgumentHelp("Lines of this phase.", valueName: "job_type")) var phase: String?
  @Option(help: "Least level: debug, info, warning, error.") var level: Level = .debug
  @Option(name: .shortAndLong, help: ArgumentHelp("How many of the last lines.", valueName: "count")) var lines = 200
  @Flag(help: "Print a JSON object for each line.") var json = false

  enum Level: String, ExpressibleByArgument, CaseIterable {
    case debug, info, warning, error
  }

  func validate() throws {
    if let job { try requireJobID(job) }
    try requireText(phase, of: "--phase")
    guard (1...1_000).contains(lines) else { throw ValidationError("--lines must be 1 to 1000") }
  }

  private static let followMilliseconds = 250

  func run() throws {
    let stop = DispatchSemaphore(value: 0)
    let signals = follow ? StopSignals { _ in stop.signal() } : nil
    defer { withExtendedLifetime(signals) {} }
    let connection = try coordinator.connected()
    var page = try ask(connection, after: nil, limit: lines)
    show(page)
    var isAway = false
    while follow, !StandardStreams.nobodyReads {
      guard stop.wait(timeout: .now() + .milliseconds(Self.followMilliseconds)) == .timedOut else { return }
      do {
        page = try next(connection, page)
        isAway = false
      } catch {
        // Said once; whoever follows waits for it to come back.
        if !isAway { StandardStreams.complain("carbontube: \(error.message); waiting for it") }
        isAway = true
      }
    }
  }

  private func next(_ connection: CoordinatorConnection, _ last: LogsDocument) throws(CommandFailure) -> LogsDocument {
    var page = try ask(connection, after: last.next, limit: 1_000)
    if page.coordinator != last.coordinator {
      StandardStreams.complain("carbontube: the coordinator was started again; its log begins anew")
      page = try ask(connection, after: 0, limit: 1_000)
    } else if page.dropped > 0 {
      StandardStreams.complain("carbontube: \(page.dropped) lines were forgotten before they were read")
    }
    show(page)
    return page
  }

  private func ask(
    _ connection: CoordinatorConnection, after: Int?, limit: Int
  ) throws(CommandFailure) -> LogsDocument {
    let arguments = Verbs.Logs.Arguments(id: job, phase: phase, level: level.rawValue, after: after, limit: limit)
    return try connection.ask(Verbs.Logs.self, arguments).document()
  }

  private func show(_ page: LogsDocument) {
    for line in page.lines {
      if json { StandardStreams.sayJSON(JSONText.of(line)) } else { StandardStreams.say(line.shown) }
    }
  }
}

extension LogsDocument.Line {
  /// Of the end of an attempt the text names job and phase.
  var shown: String {
    let time = Timestamp(milliseconds: atMs).iso8601Milliseconds
    guard attempt == nil else { return "\(time) \(level) \(text)" }
    let place = [phase, job].compactMap(\.self).joined(separator: " ")
    return "\(time) \(level) \(place.isEmpty ? "" : "\(place): ")\(text)"
  }
}
