internal import ArgumentParser
internal import CarbonTube
internal import Glibc

struct PluginsReleaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Let phases run again that were quarantined for their crashes.",
    discussion: """
      Running workers of this machine and user take it up within a second. The jobs that crashed are named, and do not \
      count against the phase any more; each ends dead by its own crashes, unless it is cancelled before. With --address \
      the workers of that pipeline release it as well, on whatever machines they are.
      """)

  @Argument(
    help: ArgumentHelp("The plugin's file, or the first digits of its SHA-256.", valueName: "library|sha256"),
    completion: .plugin)
  var plugin: String
  @Option(help: ArgumentHelp("Only this phase. Default: each that is quarantined.", valueName: "job_type"))
  var phase: String?
  @Flag(help: "Cancel the jobs that crashed, at the coordinator at --address.") var cancelCrashing = false
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws {
    try requireText(plugin, of: "the plugin")
    try requireText(phase, of: "--phase")
  }

  func run() throws {
    let quarantine = Quarantine()
    let isFile = access(plugin, F_OK) == 0
    let digits = isFile ? PluginCatalog().describe(file: plugin).sha256 : plugin.lowercased()
    let records = try records(in: quarantine, beginningWith: digits)
    // Before anything is released: it would crash at once on what is to be cancelled.
    let connection = cancelCrashing || isForPipeline ? try coordinator.connected() : nil
    if cancelCrashing, let connection { for record in records { cancel(record.history.jobs, connection) } }
    if let first = records.first { try release(first.sha256, in: quarantine) }
    if isForPipeline, let connection {
      try releaseElsewhere(records.first?.sha256 ?? digits, wasHere: !records.isEmpty, connection)
    }
  }

  private var isForPipeline: Bool { coordinator.address != nil }

  private func release(_ sha256: String, in quarantine: Quarantine) throws(CommandFailure) {
    let released = quarantine.release(sha256, jobType: phase, now: Timestamp.now().milliseconds)
    guard !released.isEmpty else {
      throw CommandFailure(.unavailable, "\(plugin) could not be released; is \(StateFolder.path()) writable?")
    }
    for record in released {
      StandardStreams.say("\(record.file) \(record.sha256.prefix(12)) \(record.jobType): released")
      if !cancelCrashing { StandardStreams.say("  crashed on \(record.history.jobs.joined(separator: " "))") }
    }
  }

  /// By the workers of the pipeline. Where it was released here, there need be none.
  private func releaseElsewhere(
    _ digits: String, wasHere: Bool, _ connection: CoordinatorConnection
  ) throws(CommandFailure) {
    let answer = try connection.request(Verbs.Release.self, .init(plugin: digits, phase: phase))
    switch answer.code {
    case .ok, .duplicate:
      let told = try JSONText.decode(ReleaseDocument.self, from: answer.body)
      for worker in told.workers { StandardStreams.say("\(worker) \(told.plugin): told to release it") }
    case .notFound where wasHere: return
    case .notFound, .invalid, .unfit: throw CommandFailure(.refused, "\(connection.address): \(answer.message)")
    case .busy, .unavailable, .stopping:
      throw CommandFailure(.unavailable, "\(connection.address): \(answer.message)")
    }
  }

  /// Of one build. None only where the workers of a pipeline may know of some.
  private func records(
    in quarantine: Quarantine, beginningWith digits: String
  ) throws(CommandFailure) -> [Quarantine.Record] {
    let found = quarantine.records().filter {
      digits.count >= 6 && $0.sha256.hasPrefix(digits) && (phase == nil || $0.jobType == phase)
    }
    guard !found.isEmpty || (isForPipeline && !cancelCrashing) else {
      let what = phase.map { "\($0) of \(plugin)" } ?? plugin
      throw CommandFailure(.noInput, "\(what) is not quarantined; carbontube plugins list shows what is")
    }
    let builds = Set(found.map(\.sha256)).count
    guard builds <= 1 else {
      throw CommandFailure(.usage, "\(builds) quarantined plugins begin with \(plugin); give more digits")
    }
    return found
  }

  /// One that has ended meanwhile needs no cancelling.
  private func cancel(_ jobs: [String], _ connection: CoordinatorConnection) {
    for job in jobs {
      do {
        _ = try connection.ask(Verbs.Cancel.self, .init(id: job))
        StandardStreams.say("cancelled \(job)")
      } catch {
        StandardStreams.complain("carbontube: \(error.message)")
      }
    }
  }
}
