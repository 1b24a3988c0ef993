import CPhaseABI
import HostProtocol
import PipelineModel

extension LibraryDescription {
  /// Reads and checks everything that a plugin says about itself.
  init(reading plugin: UnsafePointer<ct_plugin>) throws(HostRefusalError) {
    let phases = try checkedList(plugin.field(\.phase_count), plugin.field(\.phases) ?? nil, of: "phases")
    let pipelines = try checkedList(plugin.field(\.pipeline_count), plugin.field(\.pipelines) ?? nil, of: "pipelines")
    self.init(
      abiMajor: plugin.field(\.abi_major) ?? 0, abiMinor: plugin.field(\.abi_minor) ?? 0,
      id: try required(plugin.text(\.id), "the plugin's id"),
      version: try required(plugin.text(\.version), "the plugin's version"),
      summary: plugin.text(\.summary) ?? "", build: plugin.text(\.build) ?? "", phases: [], pipelines: [])
    for phase in phases { self.phases.append(try PhaseDescription(reading: phase)) }
    for pipeline in pipelines { self.pipelines.append(try PipelineDescription(reading: pipeline)) }
    try refuseTwins(self.phases.map(\.jobType), "job_type")
    try refuseTwins(self.pipelines.map(\.name), "pipeline")
    guard !phases.isEmpty || !pipelines.isEmpty else {
      throw HostRefusalError(.malformedDescription, "offers no phase and no pipeline")
    }
  }
}

extension PhaseDescription {
  fileprivate init(reading phase: UnsafePointer<ct_phase>) throws(HostRefusalError) {
    let flags = phase.field(\.flags) ?? 0
    let jobType = try required(phase.text(\.job_type), "a phase's job_type")
    try checkRoleName(jobType, "job_type")
    guard let run = phase.field(\.run), run != nil else {
      throw HostRefusalError(.malformedDescription, "gives no run() for '\(jobType)'")
    }
    self.init(
      jobType: jobType, version: try required(phase.text(\.version), "the version of '\(jobType)'"),
      summary: phase.text(\.summary) ?? "", inputSchema: phase.text(\.input_schema),
      outputSchema: phase.text(\.output_schema), settingsSchema: phase.text(\.settings_schema),
      isDeterministic: flags & UInt32(CT_PHASE_DETERMINISTIC) != 0,
      isIdempotent: flags & UInt32(CT_PHASE_IDEMPOTENT) != 0)
  }
}

extension PipelineDescription {
  fileprivate init(reading pipeline: UnsafePointer<ct_pipeline>) throws(HostRefusalError) {
    let name = try required(pipeline.text(\.name), "a pipeline's name")
    try checkRoleName(name, "pipeline name")
    let hasHooks =
      (pipeline.field(\.initialize) ?? nil) != nil || (pipeline.field(\.on_started) ?? nil) != nil
      || (pipeline.field(\.on_finished) ?? nil) != nil || (pipeline.field(\.handle_finished_job) ?? nil) != nil
    self.init(
      name: name, version: try required(pipeline.text(\.version), "the version of '\(name)'"),
      summary: pipeline.text(\.summary) ?? "",
      definition: try required(pipeline.text(\.definition), "the definition of '\(name)'"), hasHooks: hasHooks)
  }
}

private func required(_ text: String?, _ what: String) throws(HostRefusalError) -> String {
  guard let text else { throw HostRefusalError(.malformedDescription, "does not give \(what), or not as UTF-8") }
  return text
}

private func checkRoleName(_ name: String, _ what: String) throws(HostRefusalError) {
  guard isRoleName(name) else {
    throw HostRefusalError(
      .malformedDescription,
      "has the \(what) '\(name)': 1 to 64 lower-case letters, digits, '-', '_' or '.' are allowed")
  }
}

private func refuseTwins(_ names: [String], _ what: String) throws(HostRefusalError) {
  var seen: Set<String> = []
  for name in names where !seen.insert(name).inserted {
    throw HostRefusalError(.malformedDescription, "offers the \(what) '\(name)' twice")
  }
}

private func checkedList<Element>(
  _ count: UInt32?, _ entries: UnsafePointer<UnsafePointer<Element>?>?, of what: String
) throws(HostRefusalError) -> [UnsafePointer<Element>] {
  let count = Int(count ?? 0)
  guard count > 0 else { return [] }
  guard count <= LibraryDescription.maximumEntries, let entries else {
    throw HostRefusalError(.malformedDescription, "claims \(count) \(what) but gives none, or too many")
  }
  var list: [UnsafePointer<Element>] = []
  for index in 0..<count {
    guard let entry = entries[index] else {
      throw HostRefusalError(.malformedDescription, "has NULL among its \(what)")
    }
    list.append(entry)
  }
  return list
}
