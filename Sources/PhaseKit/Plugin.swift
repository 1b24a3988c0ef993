public import CPhaseABI

/// Everything that one shared object offers. A plugin is one such value and one line of ceremony:
///
///     let plugin = Plugin("org.example.files", version: "1.0.0", phases: [HashFile.self])
///
///     @c @implementation
///     public func carbontube_plugin_v1(_ hostMinor: UInt32) -> UnsafePointer<ct_plugin>? { plugin.abi }
public struct Plugin: @unchecked Sendable {
  /// What the entry returns; lives as long as the process.
  public let abi: UnsafePointer<ct_plugin>

  /// - Parameters:
  ///   - id: a reversed domain that stays the same over versions.
  ///   - version: of the plugin.
  ///   - summary: one line for people.
  ///   - phases: what it offers to workers.
  ///   - pipelines: what it offers to coordinators.
  public init(
    _ id: String, version: String, summary: String = "", phases: [any AnyPhase.Type] = [],
    pipelines: [any Pipeline.Type] = []
  ) {
    let phases = phases.map(makePhase)
    let pipelines = pipelines.map(makePipeline)
    var table = ct_plugin()
    table.struct_size = UInt32(MemoryLayout<ct_plugin>.size)
    table.abi_major = UInt16(CT_ABI_MAJOR)
    table.abi_minor = UInt16(CT_ABI_MINOR)
    table.id = permanent(id)
    table.version = permanent(version)
    table.summary = permanent(summary)
    table.build = permanent(buildDescription)
    table.phase_count = UInt32(phases.count)
    table.phases = permanent(phases)
    table.pipeline_count = UInt32(pipelines.count)
    table.pipelines = permanent(pipelines)
    table.`init` = { host, _ in
      HostLog.shared.host.withLock { $0 = host.map(LentHost.init) }
      return ct_status(CT_OK)
    }
    abi = permanentStruct(table)
  }
}
