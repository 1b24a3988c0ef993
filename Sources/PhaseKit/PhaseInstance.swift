import CPhaseABI
import Synchronization

/// - Parameter settings: a JSON object.
func makeInstance(of type: any AnyPhase.Type, settings: [UInt8]) throws -> any AnyPhase {
  try (type as? any ConfiguredPhase.Type)?.configured(by: settings) ?? type.init()
}

/// One phase in one child: what `ct_phase.create` makes.
final class PhaseInstance: Sendable {
  private let phase: any AnyPhase
  private let jobType: String
  private let thread = JobThread()
  private let cancelTask = Mutex<(@Sendable () -> Void)?>(nil)

  /// - Parameter settings: a JSON object.
  init(_ type: any AnyPhase.Type, settings: [UInt8]) throws {
    phase = try makeInstance(of: type, settings: settings)
    jobType = type.jobType
  }

  /// Blocks the calling thread until the job is done.
  func run(_ job: UnsafePointer<ct_job>, _ error: UnsafeMutablePointer<ct_error>?) -> ct_status {
    guard !isOnSwiftThread else { return refusedOnSwiftThread.write(to: error) }
    let context = JobContext(job)
    let start = UnsafeRawBufferPointer(start: job.pointee.instructions.ptr, count: job.pointee.instructions.len)
    let instructions = Array(start)
    let outcome = thread.run(started: { cancel in cancelTask.withLock { $0 = cancel } }) {
      await self.outcome(instructions, context)
    }
    cancelTask.withLock { $0 = nil }
    context.end()
    switch outcome {
    case .success(nil): return ct_status(CT_OK)
    case .success(let output?):
      // The host has words for what it does not take.
      return output.withUnsafeBytes { job.pointee.set_result(job, ct_bytes(ptr: $0.baseAddress, len: $0.count)) }
    case .failure(let failure): return failure.write(to: error)
    }
  }

  func cancel() {
    cancelTask.withLock { $0 }?()
  }

  private enum Outcome: Sendable {
    case success([UInt8]?)
    case failure(CallOutcome)
  }

  private func outcome(_ instructions: [UInt8], _ context: JobContext) async -> Outcome {
    do {
      return .success(try await phase.executeEncoded(instructions, context))
    } catch {
      return .failure(CallOutcome(error, place: jobType, isCancelled: context.isCancelled))
    }
  }
}

/// Waiting on a thread of Swift's pool can hang the whole process, so the host must call from threads of its own.
var isOnSwiftThread: Bool { withUnsafeCurrentTask { $0 != nil } }

let refusedOnSwiftThread = CallOutcome(
  status: ct_status(CT_INTERNAL), type: "HostMisuse", message: "called on a thread of Swift's own pool",
  location: "PhaseKit")
