internal import FoundationEssentials
internal import Logging
internal import PluginCatalog
internal import Synchronization

/// All that the server shows: its coordinators and the plugins of this machine, kept up to date while somebody looks.
final class CoordinatorDirectory: Sendable {
  private struct State {
    var watches: [PipelineWatch]
    var plugins: [String: JSONDocument] = [:]
    var version = 0
    var lookers = 0
  }

  let links: [PipelineLink]
  private let settings: WebServerSettings
  private let state: Mutex<State>

  init(_ settings: WebServerSettings, limits: WebLimits) {
    self.settings = settings
    links = settings.pipelines.map { PipelineLink(address: $0, limits: limits) }
    state = Mutex(State(watches: settings.pipelines.map { PipelineWatch(address: $0) }))
  }

  /// Until the task is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      for index in links.indices { group.addTask { await self.watch(index) } }
      group.addTask { await self.watchPlugins() }
    }
    for link in links { link.close() }
  }

  // MARK: - What there is

  /// Changes when the document does.
  var version: Int { state.withLock { $0.version } }

  /// The document that the page shows: `pipelines` by name, `plugins` by file.
  var document: JSONDocument {
    let (watches, plugins) = state.withLock { ($0.watches, $0.plugins) }
    var pipelines: [String: JSONDocument] = [:]
    for watch in watches {
      // Two coordinators of one name are told apart by their addresses.
      let name = watch.name.flatMap { pipelines[$0] == nil ? $0 : nil } ?? watch.document["address"].string ?? ""
      pipelines[name] = watch.document
    }
    return .object(["pipelines": .object(pipelines), "plugins": .object(plugins)])
  }

  /// - Throws: `Problem` where there is no such pipeline.
  func link(named name: String) throws(Problem) -> PipelineLink {
    let found = state.withLock { state in
      state.watches.firstIndex { $0.name == name }
        ?? state.watches.firstIndex { $0.document["address"] == .string(name) }
    }
    guard let found else {
      let known = state.withLock { $0.watches.compactMap(\.name) }
      throw Problem(
        .notFound, "no pipeline '\(name)' here; there is \(known.isEmpty ? "none yet" : known.joined(separator: ", "))")
    }
    return links[found]
  }

  /// - Throws: `Problem` where there is no pipeline as the call's path has it.
  func link(for call: Call) throws(Problem) -> PipelineLink { try link(named: call.part("pipeline")) }

  /// Who looks at this moment.
  var lookers: Int { state.withLock { $0.lookers } }

  /// Looks are quick while somebody watches, and rare otherwise.
  func whileLooked<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    state.withLock { $0.lookers += 1 }
    defer { state.withLock { $0.lookers -= 1 } }
    return try await body()
  }

  // MARK: - Looking

  private static let lookMilliseconds = 250
  private static let idleLookMilliseconds = 2_000

  private func rest() async throws {
    // In small steps, so that whoever begins to look does not wait for the end of a long rest.
    for _ in 0..<(Self.idleLookMilliseconds / Self.lookMilliseconds) {
      try await Task.sleep(for: .milliseconds(Self.lookMilliseconds))
      if state.withLock({ $0.lookers }) > 0 { return }
    }
  }

  private func watch(_ index: Int) async {
    while !Task.isCancelled {
      let link = links[index]
      try? await look(index) { verb in try await link.look(verb).0 }
      do { try await rest() } catch { return }
    }
  }

  /// Looks now, for whoever wants to know how it is rather than how it was.
  ///
  /// - Throws: `Problem` where too many want to.
  func refresh(_ link: PipelineLink) async throws {
    guard let index = links.firstIndex(where: { $0 === link }) else { return }
    try await look(index) { verb in try await link.ask(verb).0 }
  }

  private func look(_ index: Int, _ ask: @Sendable (String) async throws -> JSONDocument) async throws {
    do {
      async let status = ask("status")
      async let totals = ask("totals")
      async let actions = try? ask("actions")
      let heard = try await PipelineWatch.Answers(status: status, totals: totals, actions: actions ?? .null)
      let now = Int64(Date().timeIntervalSince1970 * 1_000)
      update { $0.watches[index].heard(heard, now: now) }
    } catch is CancellationError {
      return
    } catch {
      let problem = error as? Problem
      // One that has too much to do is there.
      if problem?.code == .busy { throw error }
      update { $0.watches[index].lost(problem?.detail ?? "\(error)") }
    }
  }

  private func watchPlugins() async {
    let catalog = PluginCatalog(stateFolder: settings.stateFolder)
    while !Task.isCancelled {
      let files = settings.pluginFolders.flatMap { PluginFolder.files(in: $0) ?? [] }
      let descriptions = await onThread { catalog.describe(files: files) }
      var plugins: [String: JSONDocument] = [:]
      for description in descriptions {
        guard var shown = try? JSONDocument(encoding: description) else { continue }
        shown["staged_path"] = .null
        shown["problem"] = description.problem.map(JSONDocument.string) ?? .null
        plugins[description.file] = .object(shown.members.filter { $0.value != .null })
      }
      let found = plugins
      update { $0.plugins = found }
      do { try await Task.sleep(for: .seconds(2)) } catch { return }
    }
  }

  private func update(_ change: @Sendable (inout State) -> Void) {
    state.withLock { state in
      let (watches, plugins) = (state.watches.map(\.document), state.plugins)
      change(&state)
      if watches != state.watches.map(\.document) || plugins != state.plugins { state.version += 1 }
    }
  }
}
