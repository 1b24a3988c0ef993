public import ServiceLifecycle

// For programs whose parts are run by a `ServiceGroup` of swift-service-lifecycle. `run` is for those alone: whoever
// calls `start` does without it.

extension PipelineServer: Service {
  /// Serves until the group shuts down or the task is cancelled, then writes what is pending and closes the store.
  /// - Throws: `PipelineServerError` where the store can never be used.
  public func run() async throws {
    start()
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await waitUntilStopped()
    } onCancelOrGracefulShutdown: {
      self.requestStop()
    }
  }
}

extension PhaseServer: Service {
  /// Serves until the group shuts down, which finishes what runs, or the task is cancelled, which gives it back at once;
  /// also ends where a coordinator drains this worker.
  public func run() async throws {
    start()
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        await waitUntilStopped()
      } onGracefulShutdown: {
        self.drain()
      }
    } onCancel: {
      self.stop()
    }
  }
}
