import CPhaseABI
import HostProtocol

// The tables of C functions that a plugin gets. They are filled here, in plain functions of a module without default
// isolation: the same closures written in main.swift or in main-actor code compile without a warning and trap when a
// plugin calls them from its own thread.

private let maximumLogLine = 64 << 10
private let maximumNote = 4 << 10
private let maximumSetting = 64 << 10
/// A byte more than a name of a measure or field may have, so that a longer one is none.
private let maximumName = 65

/// Fields with another name than one may have are left out.
private func logFields(_ fields: UnsafePointer<ct_field>?, _ count: Int) -> [HostLogField] {
  guard let fields, count > 0 else { return [] }
  return UnsafeBufferPointer(start: fields, count: min(count, HostLogField.maximumCount)).compactMap { field in
    let name = field.name.text(limit: maximumName)
    guard HostLogField.isName(name.utf8) else { return nil }
    return HostLogField(name: name, value: field.value.text(limit: HostLogField.maximumValueBytes))
  }
}

private func currentJob(_ pointer: UnsafePointer<ct_job>?) -> CurrentJob? {
  guard let data = pointer?.pointee.host_data else { return nil }
  return Unmanaged<CurrentJob>.fromOpaque(data).takeUnretainedValue()
}

/// A `ct_job` that lives as long as the process; its texts are set for each job.
func makeJob(for job: CurrentJob, workDirectory: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<ct_job> {
  let pointer = UnsafeMutablePointer<ct_job>.allocate(capacity: 1)
  var table = ct_job()
  table.struct_size = UInt32(MemoryLayout<ct_job>.size)
  table.host_data = Unmanaged.passRetained(job).toOpaque()
  table.work_dir = ct_str(bytes: workDirectory)
  table.set_result = { job, result in currentJob(job)?.setResult(result) ?? CTStatus.badInput }
  table.progress = { job, fraction, note in
    currentJob(job)?.progress(fraction, note: note.text(limit: maximumNote)) ?? CTStatus.badInput
  }
  table.log = { job, level, message in currentJob(job)?.log(level, message.text(limit: maximumLogLine)) }
  table.is_cancelled = { job in currentJob(job)?.isCancelled == true ? 1 : 0 }
  table.log_fields = { job, level, message, fields, count in
    currentJob(job)?.log(level, message.text(limit: maximumLogLine), fields: logFields(fields, count))
  }
  table.measure = { job, kind, name, value in
    guard let kind = UInt8(exactly: kind).flatMap(HostMeasure.Kind.init(rawValue:)) else { return CTStatus.badInput }
    let measure = HostMeasure(kind: kind, name: name.text(limit: maximumName), value: value)
    return currentJob(job)?.measure(measure) ?? CTStatus.badInput
  }
  pointer.initialize(to: table)
  return pointer
}

/// The `ct_host` of this process; never freed.
func makeHost(_ channel: ReportChannel) -> UnsafePointer<ct_host> {
  let pointer = UnsafeMutablePointer<ct_host>.allocate(capacity: 1)
  var table = ct_host()
  table.struct_size = UInt32(MemoryLayout<ct_host>.size)
  table.abi_major = UInt16(CT_ABI_MAJOR)
  table.abi_minor = UInt16(CT_ABI_MINOR)
  table.host_data = Unmanaged.passRetained(channel).toOpaque()
  table.name = permanentCString("carbontube-plugin-host")
  table.version = permanentCString("1.0.0")
  table.log = { host, level, message in
    guard let data = host?.pointee.host_data else { return }
    let channel = Unmanaged<ReportChannel>.fromOpaque(data).takeUnretainedValue()
    channel.send(.log(token: 0, level: HostLogLevel(abi: level), message: message.text(limit: maximumLogLine)))
  }
  table.get_extension = { _, _ in nil }
  pointer.initialize(to: table)
  return UnsafePointer(pointer)
}

/// What `ct_setup.host_data` points to during one call of a pipeline's `initialize`.
final class SetupCall {
  let channel: ReportChannel
  let token: UInt64
  init(channel: ReportChannel, token: UInt64) {
    self.channel = channel
    self.token = token
  }
}

/// Lends a `ct_setup` to `body`.
func withSetup(_ call: SetupCall, _ body: (UnsafePointer<ct_setup>) -> ct_status) -> ct_status {
  var table = ct_setup()
  table.struct_size = UInt32(MemoryLayout<ct_setup>.size)
  table.host_data = Unmanaged.passUnretained(call).toOpaque()
  table.set = { setup, name, value in
    guard let data = setup?.pointee.host_data, name.len <= maximumSetting, value.len <= maximumSetting,
      let name = name.validText, let value = value.validText
    else { return CTStatus.badInput }
    let call = Unmanaged<SetupCall>.fromOpaque(data).takeUnretainedValue()
    call.channel.send(.setting(token: call.token, name: name, value: value))
    return CTStatus.ok
  }
  return withExtendedLifetime(call) { withUnsafePointer(to: table, body) }
}

/// Lends a `ct_phase_setup` to `body`.
func withPhaseSetup(
  settings: [UInt8], workDirectory: UnsafeBufferPointer<UInt8>, _ body: (UnsafePointer<ct_phase_setup>) -> ct_status
) -> ct_status {
  settings.withUnsafeBytes { settings in
    var table = ct_phase_setup()
    table.struct_size = UInt32(MemoryLayout<ct_phase_setup>.size)
    table.settings = ct_bytes(ptr: settings.baseAddress, len: settings.count)
    table.work_dir = ct_str(bytes: workDirectory)
    return withUnsafePointer(to: table, body)
  }
}

extension ct_str {
  init(bytes: UnsafeBufferPointer<UInt8>) {
    let start = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
    self.init(ptr: start, len: bytes.count)
  }

  /// Nil where the bytes are not UTF-8.
  fileprivate var validText: String? {
    guard let ptr else { return len == 0 ? "" : nil }
    return String(validating: UnsafeRawBufferPointer(start: ptr, count: len), as: UTF8.self)
  }
}

private func permanentCString(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  memory.initialize(repeating: 0, count: bytes.count)
  for (index, byte) in bytes.enumerated() { memory[index] = byte }
  return UnsafePointer(memory)
}
