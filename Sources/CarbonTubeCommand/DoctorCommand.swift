internal import ArgumentParser
internal import CarbonTube
internal import Glibc
internal import HostSupervision
internal import ZeroMQTransport

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look for what would keep this machine from serving, and say what to do.",
    discussion: """
      Looks at the programs, the plugins that are found, the folder of this user's copies of plugins, the limit of open \
      files and the coordinator. Exits with 0 where nothing needs to be mended.
      """)

  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print a JSON object for each finding: about, state and text.") var json = false

  func run() throws {
    var findings = [Self.host(), Self.stateFolder(), Self.openFiles(), Self.sdk()]
    findings += Self.plugins()
    findings.append(asked())
    let style = OutputStyle.current()
    for finding in findings {
      guard !json else {
        StandardStreams.sayJSON(JSONText.of(finding))
        continue
      }
      for line in finding.lines(style) { StandardStreams.sayVerbatim(line) }
    }
    let faults = findings.count { $0.state == .fault }
    guard faults > 0 else { return }
    throw CommandFailure(.refused, "\(faults) of \(findings.count) findings need to be mended")
  }

  private static func host() -> Finding {
    let path = PluginHostConfiguration.defaultExecutable()
    guard access(path, X_OK) == 0 else {
      return Finding(
        "plugin host", .fault,
        "\(path): \(String(cString: strerror(errno))); install it beside carbontube, or name it by CARBONTUBE_PLUGIN_HOST"
      )
    }
    return Finding("plugin host", .ok, path)
  }

  private static func stateFolder() -> Finding {
    let path = StateFolder.path()
    // What is not there yet is made below the nearest folder that is.
    var existing = path
    while existing.count > 1, access(existing, F_OK) != 0 {
      existing = String(existing[..<(existing.lastIndex(of: "/") ?? existing.startIndex)])
      if existing.isEmpty { existing = "/" }
    }
    guard access(existing, W_OK | X_OK) == 0 else {
      return Finding(
        "state folder", .fault, "\(path) cannot be written by this user; name another by CARBONTUBE_STATE_DIR")
    }
    return Finding("state folder", .ok, path)
  }

  private static func openFiles() -> Finding {
    let limit = DescriptorLimit.raise()
    guard let missing = DescriptorLimit.missing(own: DescriptorNeeds.coordinator, servesMany: true) else {
      return Finding("open files", .ok, "at most \(limit)")
    }
    return Finding(
      "open files", .fault,
      "a coordinator needs \(missing.needed), and the limit is \(missing.limit): ulimit -n \(missing.needed)")
  }

  private static func sdk() -> Finding {
    do throws(CommandFailure) {
      return Finding("sdk", .ok, try PluginSDK().folder)
    } catch {
      return Finding("sdk", .note, "\(error.message); only 'plugins new' and 'plugins build' need it")
    }
  }

  /// One for those that can be used, one for each that cannot.
  private static func plugins() -> [Finding] {
    let folders = PluginSearch.defaultFolders()
    let files = folders.flatMap { PluginFolder.files(in: $0) ?? [] }
    let descriptions = PluginCatalog().describe(files: files, cached: .verified)
    let bad = descriptions.filter { $0.problem != nil }
    let usable = descriptions.count - bad.count
    let places = folders.joined(separator: ", ")
    return [Finding("plugins", usable > 0 ? .ok : .note, "\(usable) that can be used, in \(places)")]
      + bad.map { Finding("plugin", .fault, "\($0.file): \($0.problem ?? "")") }
  }

  /// Nobody at the default address is no fault: this machine may have workers only.
  private func asked() -> Finding {
    do throws(CommandFailure) {
      let connection = try coordinator.connected(patienceSeconds: 3)
      let status = try connection.ask(Verbs.Status.self, NoArguments()).document()
      let unserved = status.phases.filter { !$0.remark.isEmpty }.map { "\($0.jobType): \($0.remark)" }
      let text = "\(connection.address): pipeline \(status.pipeline), workers: \(status.workers.count)"
      guard !unserved.isEmpty else { return Finding("coordinator", .ok, text) }
      return Finding("coordinator", .note, "\(text); \(unserved.joined(separator: "; "))")
    } catch {
      let isNamed =
        coordinator.address != nil || coordinator.context != nil || (try? CoordinatorAddress.named()) ?? nil != nil
        || error.status != .unavailable
      return Finding("coordinator", isNamed ? .fault : .note, error.message)
    }
  }
}

/// What was looked at, and what came of it.
private struct Finding: Encodable {
  enum State: String, Encodable {
    case ok, note, fault
  }
  var about: String
  var state: State
  var text: String

  init(_ about: String, _ state: State, _ text: String) {
    (self.about, self.state, self.text) = (about, state, text)
  }

  /// As wide as the terminal, the state in its colour.
  func lines(_ style: OutputStyle) -> [String] {
    func padded(_ word: String, _ width: Int) -> String { word + String(repeating: " ", count: width - word.count) }
    var lines = style.folded(padded(state.rawValue, 7) + padded(about, 14) + text)
    lines[0] = style.coloured(state.rawValue, state: state.rawValue) + lines[0].dropFirst(state.rawValue.count)
    return lines
  }
}
