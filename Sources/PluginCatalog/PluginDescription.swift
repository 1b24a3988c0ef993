public import HostProtocol

/// What is known about one plugin file, good or bad.
public struct PluginDescription: Hashable, Sendable, Codable {
  /// As it was given.
  public var file: String
  public var state: PluginState
  /// 64 lower-case hexadecimal digits; empty where the file was refused before it was copied.
  public var sha256: String
  /// The copy that children load; empty where there is none.
  public var stagedPath: String
  public var id: String
  public var version: String
  public var summary: String
  /// Language and compiler, in the plugin's words.
  public var build: String
  /// `1.0`; empty where unknown.
  public var abi: String
  public var phases: [PhaseDescription]
  public var pipelines: [PipelineDescription]

  public init(file: String, state: PluginState, sha256: String = "", stagedPath: String = "") {
    self.file = file
    self.state = state
    self.sha256 = sha256
    self.stagedPath = stagedPath
    id = ""
    version = ""
    summary = ""
    build = ""
    abi = ""
    phases = []
    pipelines = []
  }

  /// Why the file cannot be used, as one line; nil where it can.
  public var problem: String? {
    state.problem.map { "\(file) \($0)" }
  }

  /// - Throws: one line that names the file and what it has instead.
  public func phase(_ jobType: String) throws(PluginRefusal) -> PhaseDescription {
    if let phase = phases.first(where: { $0.jobType == jobType }) { return phase }
    throw PluginRefusal(
      kind: .notAPlugin, file: file,
      reason: state.problem ?? "has no phase '\(jobType)'; it has: \(listed(phases.map(\.jobType)))")
  }

  /// - Throws: one line that names the file and what it has instead.
  public func pipeline(_ name: String) throws(PluginRefusal) -> PipelineDescription {
    if let pipeline = pipelines.first(where: { $0.name == name }) { return pipeline }
    throw PluginRefusal(
      kind: .notAPlugin, file: file,
      reason: state.problem ?? "has no pipeline '\(name)'; it has: \(listed(pipelines.map(\.name)))")
  }

  mutating func fill(from library: LibraryDescription) {
    id = library.id
    version = library.version
    summary = library.summary
    build = library.build
    abi = "\(library.abiMajor).\(library.abiMinor)"
    phases = library.phases
    pipelines = library.pipelines
  }

  enum CodingKeys: String, CodingKey {
    case file, state, sha256, id, version, summary, build, abi, phases, pipelines
    case stagedPath = "staged_path"
  }
}

private func listed(_ names: [String]) -> String {
  names.isEmpty ? "none" : names.joined(separator: ", ")
}
