/// A phase as its plugin describes it.
public struct PhaseDescription: Hashable, Sendable, Codable {
  public var jobType: String
  public var version: String
  public var summary: String
  /// JSON Schema text, where the phase has one.
  public var inputSchema: String?
  public var outputSchema: String?
  /// Of the settings that its instance takes.
  public var settingsSchema: String?
  public var isDeterministic: Bool
  public var isIdempotent: Bool

  public init(
    jobType: String, version: String, summary: String, inputSchema: String? = nil, outputSchema: String? = nil,
    settingsSchema: String? = nil, isDeterministic: Bool = false, isIdempotent: Bool = false
  ) {
    self.jobType = jobType
    self.version = version
    self.summary = summary
    self.inputSchema = inputSchema
    self.outputSchema = outputSchema
    self.settingsSchema = settingsSchema
    self.isDeterministic = isDeterministic
    self.isIdempotent = isIdempotent
  }

  enum CodingKeys: String, CodingKey {
    case jobType = "job_type"
    case version
    case summary
    case inputSchema = "input_schema"
    case outputSchema = "output_schema"
    case settingsSchema = "settings_schema"
    case isDeterministic = "deterministic"
    case isIdempotent = "idempotent"
  }
}

/// A pipeline as its plugin describes it.
public struct PipelineDescription: Hashable, Sendable, Codable {
  public var name: String
  public var version: String
  public var summary: String
  /// JSON: the name and the phases with their settings (carbontube.h, `ct_pipeline`). Not checked by the child.
  public var definition: String
  /// False where certainly no hook is written, so that no child need be kept for them.
  public var hasHooks: Bool

  public init(name: String, version: String, summary: String, definition: String, hasHooks: Bool) {
    self.name = name
    self.version = version
    self.summary = summary
    self.definition = definition
    self.hasHooks = hasHooks
  }

  enum CodingKeys: String, CodingKey {
    case name, version, summary, definition
    case hasHooks = "has_hooks"
  }
}

/// All that a loaded plugin says about itself.
public struct LibraryDescription: Hashable, Sendable {
  public var abiMajor: UInt16
  public var abiMinor: UInt16
  public var id: String
  public var version: String
  public var summary: String
  public var build: String
  public var phases: [PhaseDescription]
  public var pipelines: [PipelineDescription]

  public init(
    abiMajor: UInt16, abiMinor: UInt16, id: String, version: String, summary: String, build: String,
    phases: [PhaseDescription], pipelines: [PipelineDescription]
  ) {
    self.abiMajor = abiMajor
    self.abiMinor = abiMinor
    self.id = id
    self.version = version
    self.summary = summary
    self.build = build
    self.phases = phases
    self.pipelines = pipelines
  }
}
