internal import HostProtocol
internal import HostSupervision
internal import PipelineModel
internal import WireProtocol

/// What the end of a run means; the one place where results and ends of children become outcomes.
struct RunVerdict {
  var outcome: AttemptOutcome
  /// New instructions as a payload frame; nil: unchanged.
  var instructions: [UInt8]?
  var error: JobError?
  var retryAfterMilliseconds: Int64 = 0
}

/// The child sent a result.
///
/// - Parameter limit: what the instructions may grow to, in bytes.
func verdict(on result: HostResult, of run: HostRun, jobType: String, limit: Int) -> RunVerdict {
  switch (result.status, run.ending) {
  case (.ok, _): return merged(result.output, run, jobType, limit)
  case (_, .timeout): return RunVerdict(outcome: .timedOut, error: timeoutError(run, jobType))
  case (_, .cancelled): return RunVerdict(outcome: .cancelled, error: cancelledError(jobType))
  case (_, .handBack): return RunVerdict(outcome: .handedBack)
  case (.failed, nil), (.internalError, nil), (.cancelled, nil):
    return RunVerdict(outcome: .failed, error: jobError(result, jobType))
  case (.permanent, nil), (.badInput, nil), (.unsupported, nil):
    return RunVerdict(outcome: .permanentFailure, error: jobError(result, jobType))
  case (.retry, nil):
    return RunVerdict(
      outcome: .retryRequested, error: jobError(result, jobType),
      retryAfterMilliseconds: result.retryAfterMilliseconds.map(RetryPolicy.requestedWait) ?? 0)
  }
}

/// The child ended without one.
func verdict(on exit: HostExit, of run: HostRun, jobType: String, standardErrorTail: String) -> RunVerdict {
  switch run.ending {
  case .timeout: return RunVerdict(outcome: .timedOut, error: timeoutError(run, jobType, tail: standardErrorTail))
  case .cancelled: return RunVerdict(outcome: .cancelled, error: cancelledError(jobType))
  case .handBack: return RunVerdict(outcome: .handedBack)
  case nil:
    return RunVerdict(
      outcome: .crashed,
      error: JobError(
        type: exit.type, message: exit.explanation, location: jobType, standardErrorTail: standardErrorTail))
  }
}

private func merged(_ output: [UInt8]?, _ run: HostRun, _ jobType: String, _ limit: Int) -> RunVerdict {
  guard let output else { return RunVerdict(outcome: .succeeded) }
  do throws(InstructionsError) {
    let merged = try InstructionsJSON.merging(output, into: run.assignment.instructions)
    guard merged.count <= limit else {
      throw InstructionsError(
        message: "the result makes the instructions \(merged.count) bytes long; the limit is \(limit)")
    }
    return RunVerdict(outcome: .succeeded, instructions: CompressedJSON.payload(for: merged))
  } catch {
    return RunVerdict(
      outcome: .permanentFailure, error: JobError(type: "BadResult", message: error.message, location: jobType))
  }
}

private func jobError(_ result: HostResult, _ jobType: String) -> JobError {
  guard let error = result.error else {
    return JobError(type: result.status.description, message: "the phase gave no reason", location: jobType)
  }
  return JobError(
    type: error.type, message: error.message, location: error.location.isEmpty ? jobType : error.location)
}

private func timeoutError(_ run: HostRun, _ jobType: String, tail: String = "") -> JobError {
  JobError(type: "Timeout", message: "ran longer than its limit", location: jobType, standardErrorTail: tail)
}

private func cancelledError(_ jobType: String) -> JobError {
  JobError(type: "Cancelled", message: "cancelled while it ran", location: jobType)
}
