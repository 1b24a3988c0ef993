import CPhaseABI

/// One pipeline in one child: what `ct_pipeline.create` makes.
final class PipelineInstance: Sendable {
  private let pipeline: any Pipeline
  private let name: String
  private let context: PipelineContext
  private let thread = JobThread()

  init(_ type: any Pipeline.Type, logger: PluginLogger) {
    pipeline = type.init()
    name = type.name
    context = PipelineContext(logger: logger)
  }

  func initialize(_ setup: UnsafePointer<ct_setup>, _ error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    let choices = PipelineSetup(logger: context.logger)
    let outcome = call("initialize") { try await self.pipeline.initialize(choices) }
    guard outcome.status == ct_status(CT_OK) else { return outcome.write(to: error) }
    for (name, value) in choices.settings {
      let status = withText(name) { name in withText(value) { setup.pointee.set(setup, name, $0) } }
      guard status == ct_status(CT_OK) else { return status }
    }
    return outcome.status
  }

  func started(_ error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    call("onStarted") { try await self.pipeline.onStarted(self.context) }.write(to: error)
  }

  func finished(_ error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    call("onFinished") { try await self.pipeline.onFinished(self.context) }.write(to: error)
  }

  func handle(_ job: UnsafePointer<ct_finished_job>, _ error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    let job = job.pointee
    let id = String(job.id)
    let pipelineName = String(job.pipeline)
    let state = String(job.state)
    let instructions = Array(UnsafeRawBufferPointer(start: job.instructions.ptr, count: job.instructions.len))
    return call("handleFinishedJob") {
      guard let state = FinishedJob.State(rawValue: state) else {
        throw PhaseError(kind: .bug, message: "a job ended in the unknown state '\(state)'", location: "PhaseKit")
      }
      let finished = FinishedJob(
        id: id, pipeline: pipelineName, state: state,
        instructions: try Instructions(parsing: instructions))
      try await self.pipeline.handleFinishedJob(finished, self.context)
    }.write(to: error)
  }

  private func call(_ hook: String, _ body: @escaping @Sendable () async throws -> Void) -> CallOutcome {
    guard !isOnSwiftThread else { return refusedOnSwiftThread }
    let place = "\(name).\(hook)"
    return thread.run(started: { _ in }) {
      do {
        try await body()
        return CallOutcome.success
      } catch {
        return CallOutcome(error, place: place, isCancelled: false)
      }
    }
  }
}
