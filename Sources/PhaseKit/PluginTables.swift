import CPluginNote
import CPhaseABI

// Tables of C functions over the author's types. Filled in plain functions: the same closures written where code
// belongs to the main actor compile without a warning and trap when the host calls them from its own thread.

/// The author's type behind a `ct_phase`; never freed.
private final class PhaseType {
  let type: any AnyPhase.Type
  init(_ type: any AnyPhase.Type) { self.type = type }
}

private final class PipelineType {
  let type: any Pipeline.Type
  init(_ type: any Pipeline.Type) { self.type = type }
}

private func object<Object: AnyObject>(_ pointer: UnsafeMutableRawPointer?, as type: Object.Type) -> Object? {
  pointer.map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
}

private let misuse = ct_status(CT_INTERNAL)

func makePhase(_ type: any AnyPhase.Type) -> UnsafePointer<ct_phase> {
  var table = ct_phase()
  table.struct_size = UInt32(MemoryLayout<ct_phase>.size)
  table.flags = type.traits.rawValue
  table.plugin_data = Unmanaged.passRetained(PhaseType(type)).toOpaque()
  table.job_type = permanent(type.jobType)
  table.version = permanent(type.version)
  table.summary = permanent(type.summary)
  table.input_schema = type.inputSchema.map(permanent)
  table.output_schema = type.outputSchema.map(permanent)
  table.settings_schema = type.settingsSchema.map(permanent)
  // A host of ABI 1.0 knows no settings.
  table.create = { phase, instance, error in makeInstance(of: phase, Array("{}".utf8), instance, error) }
  table.create_with = { phase, setup, instance, error in
    guard let given = setup?.pointee.settings else { return misuse }
    let settings = Array(UnsafeRawBufferPointer(start: given.ptr, count: given.len))
    return makeInstance(of: phase, settings, instance, error)
  }
  table.run = { _, instance, job, error in
    guard let instance = object(instance, as: PhaseInstance.self), let job else { return misuse }
    return instance.run(job, error)
  }
  table.cancel = { _, instance in object(instance, as: PhaseInstance.self)?.cancel() }
  table.destroy = { _, instance in
    if let instance { Unmanaged<PhaseInstance>.fromOpaque(instance).release() }
  }
  return permanentStruct(table)
}

private func makeInstance(
  of phase: UnsafePointer<ct_phase>?, _ settings: [UInt8],
  _ instance: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ error: UnsafeMutablePointer<ct_error>?
) -> ct_status {
  guard let type = object(phase?.pointee.plugin_data, as: PhaseType.self)?.type, let instance else { return misuse }
  do {
    instance.pointee = Unmanaged.passRetained(try PhaseInstance(type, settings: settings)).toOpaque()
    return ct_status(CT_OK)
  } catch let problem {
    return CallOutcome(problem, place: type.jobType, isCancelled: false).write(to: error)
  }
}

func makePipeline(_ type: any Pipeline.Type) -> UnsafePointer<ct_pipeline> {
  var table = ct_pipeline()
  table.struct_size = UInt32(MemoryLayout<ct_pipeline>.size)
  table.plugin_data = Unmanaged.passRetained(PipelineType(type)).toOpaque()
  table.name = permanent(type.name)
  table.version = permanent(type.version)
  table.summary = permanent(type.summary)
  table.definition = permanent(PipelineDefinitionJSON(type).text)
  table.create = { pipeline, instance, _ in
    guard let type = object(pipeline?.pointee.plugin_data, as: PipelineType.self), let instance else { return misuse }
    let made = PipelineInstance(type.type, logger: HostLog.shared.logger)
    instance.pointee = Unmanaged.passRetained(made).toOpaque()
    return ct_status(CT_OK)
  }
  setHooks(&table)
  return permanentStruct(table)
}

private func setHooks(_ table: inout ct_pipeline) {
  table.initialize = { _, instance, setup, error in
    guard let instance = object(instance, as: PipelineInstance.self), let setup else { return misuse }
    return instance.initialize(setup, error)
  }
  table.on_started = { _, instance, error in
    object(instance, as: PipelineInstance.self)?.started(error) ?? misuse
  }
  table.on_finished = { _, instance, error in
    object(instance, as: PipelineInstance.self)?.finished(error) ?? misuse
  }
  table.handle_finished_job = { _, instance, job, error in
    guard let instance = object(instance, as: PipelineInstance.self), let job else { return misuse }
    return instance.handle(job, error)
  }
  table.destroy = { _, instance in
    if let instance { Unmanaged<PipelineInstance>.fromOpaque(instance).release() }
  }
}

/// Calls into CPluginNote, so that the linker keeps the object that holds the note.
var buildDescription: String {
  let version = ct_plugin_note_swift_version()
  return "swift-\(version / 100).\(version % 100) phasekit-1.0.0"
}
