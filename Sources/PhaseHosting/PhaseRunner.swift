import CPhaseABI
import HostProtocol

/// Runs jobs on one instance of one phase, on the thread that made it.
struct PhaseRunner {
  private let phase: UnsafePointer<ct_phase>
  private let instance: UnsafeMutableRawPointer?
  private let running: CurrentJob
  private let table: UnsafeMutablePointer<ct_job>
  private let run:
    @convention(c) (
      UnsafePointer<ct_phase>?, UnsafeMutableRawPointer?, UnsafePointer<ct_job>?, UnsafeMutablePointer<ct_error>?
    ) -> ct_status
  private let error: CallError

  /// Calls the phase's `create_with`, or `create`.
  init(
    _ phase: UnsafePointer<ct_phase>, running: CurrentJob, settings: [UInt8], workDirectory: String, error: CallError
  ) throws(HostRefusalError) {
    guard let run = phase.field(\.run) ?? nil else {
      throw HostRefusalError(.malformedDescription, "gives no run()")
    }
    self.phase = phase
    self.run = run
    self.running = running
    self.error = error
    let folder = permanentCopy(workDirectory)
    table = makeJob(for: running, workDirectory: folder)
    instance = try Self.create(phase, settings: settings, workDirectory: folder, error)
  }

  private static func create(
    _ phase: UnsafePointer<ct_phase>, settings: [UInt8], workDirectory: UnsafeBufferPointer<UInt8>, _ error: CallError
  ) throws(HostRefusalError) -> UnsafeMutableRawPointer? {
    var instance: UnsafeMutableRawPointer?
    error.reset()
    let status: ct_status
    if let create = phase.field(\.create_with) ?? nil {
      status = withPhaseSetup(settings: settings, workDirectory: workDirectory) {
        create(phase, $0, &instance, error.pointer)
      }
    } else if let create = phase.field(\.create) ?? nil {
      status = create(phase, &instance, error.pointer)
    } else {
      return nil
    }
    if let failure = error.result(status).error {
      throw HostRefusalError(.initializationFailed, "could not make an instance of its phase: \(failure)")
    }
    return instance
  }

  /// One attempt from its instructions to its result.
  func run(_ job: HostJob) -> HostResult {
    guard running.begin(token: job.token, wakeUp: wakeUp) else {
      let error = HostError(message: "cancelled before it began", type: "\(HostStatus.cancelled)")
      return HostResult(status: .cancelled, error: error)
    }
    error.reset()
    let status = lend(job) { run(phase, instance, $0, error.pointer) }
    return error.result(status, output: running.end())
  }

  /// Calls the phase's `destroy`. Nothing may be run afterwards.
  func finish() {
    (phase.field(\.destroy) ?? nil)?(phase, instance)
  }

  private var wakeUp: @Sendable () -> Void {
    guard let cancel = phase.field(\.cancel) ?? nil else { return {} }
    nonisolated(unsafe) let phase = phase
    nonisolated(unsafe) let instance = instance
    return { cancel(phase, instance) }
  }

  private func lend(_ job: HostJob, _ body: (UnsafePointer<ct_job>) -> ct_status) -> ct_status {
    var id = job.jobID
    var pipeline = job.pipeline
    return id.withUTF8 { id in
      pipeline.withUTF8 { pipeline in
        job.instructions.withUnsafeBytes { instructions in
          table.pointee.attempt = job.attempt
          table.pointee.deadline_unix_ms = job.deadlineUnixMilliseconds
          table.pointee.id = ct_str(bytes: id)
          table.pointee.pipeline = ct_str(bytes: pipeline)
          table.pointee.instructions = ct_bytes(ptr: instructions.baseAddress, len: instructions.count)
          defer { forgetLentMemory() }
          return body(UnsafePointer(table))
        }
      }
    }
  }

  private func forgetLentMemory() {
    table.pointee.id = ct_str()
    table.pointee.pipeline = ct_str()
    table.pointee.instructions = ct_bytes()
  }
}

private func permanentCopy(_ text: String) -> UnsafeBufferPointer<UInt8> {
  let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
  _ = memory.initialize(from: text.utf8)
  return UnsafeBufferPointer(memory)
}
