import CPhaseABI
import HostProtocol

/// Calls the hooks of one pipeline on one instance, on the thread that made it.
struct PipelineRunner {
  private let pipeline: UnsafePointer<ct_pipeline>
  private let instance: UnsafeMutableRawPointer?
  private let channel: ReportChannel
  private let error: CallError

  /// Calls the pipeline's `create`.
  init(_ pipeline: UnsafePointer<ct_pipeline>, channel: ReportChannel, error: CallError) throws(HostRefusalError) {
    self.pipeline = pipeline
    self.channel = channel
    self.error = error
    var instance: UnsafeMutableRawPointer?
    if let create = pipeline.field(\.create) ?? nil {
      error.reset()
      let result = error.result(create(pipeline, &instance, error.pointer))
      if let failure = result.error {
        throw HostRefusalError(.initializationFailed, "could not make an instance of its pipeline: \(failure)")
      }
    }
    self.instance = instance
  }

  /// A hook that the author did not write ends as `.unsupported`.
  func call(_ call: HostHookCall) -> HostResult {
    error.reset()
    guard let status = status(of: call) else {
      return HostResult(status: .unsupported, error: HostError(message: "not written", type: "HookNotWritten"))
    }
    return error.result(status)
  }

  /// Calls the pipeline's `destroy`. Nothing may be called afterwards.
  func finish() {
    (pipeline.field(\.destroy) ?? nil)?(pipeline, instance)
  }

  private func status(of call: HostHookCall) -> ct_status? {
    switch call.hook {
    case .initialize:
      guard let initialize = pipeline.field(\.initialize) ?? nil else { return nil }
      return withSetup(SetupCall(channel: channel, token: call.token)) { setup in
        initialize(pipeline, instance, setup, error.pointer)
      }
    case .started:
      return (pipeline.field(\.on_started) ?? nil)?(pipeline, instance, error.pointer)
    case .finished:
      return (pipeline.field(\.on_finished) ?? nil)?(pipeline, instance, error.pointer)
    case .finishedJob(let jobID, let name, let state, let instructions):
      guard let handle = pipeline.field(\.handle_finished_job) ?? nil else { return nil }
      return lend(jobID, name, state, instructions) { handle(pipeline, instance, $0, error.pointer) }
    }
  }

  private func lend(
    _ jobID: String, _ name: String, _ state: String, _ instructions: [UInt8],
    _ body: (UnsafePointer<ct_finished_job>) -> ct_status
  ) -> ct_status {
    Array(jobID.utf8).withUnsafeBufferPointer { jobID in
      Array(name.utf8).withUnsafeBufferPointer { name in
        Array(state.utf8).withUnsafeBufferPointer { state in
          instructions.withUnsafeBytes { instructions in
            var job = ct_finished_job()
            job.struct_size = UInt32(MemoryLayout<ct_finished_job>.size)
            job.id = ct_str(bytes: jobID)
            job.pipeline = ct_str(bytes: name)
            job.state = ct_str(bytes: state)
            job.instructions = ct_bytes(ptr: instructions.baseAddress, len: instructions.count)
            return withUnsafePointer(to: job, body)
          }
        }
      }
    }
  }
}
