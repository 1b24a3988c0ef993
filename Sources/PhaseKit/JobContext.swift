import CPhaseABI
import Synchronization

/// One attempt of one job, as its phase sees it. From any thread; after `execute` has returned its calls do nothing.
public final class JobContext: Sendable {
  /// The same in every attempt and every phase of the job: a key to make repetitions harmless.
  public let id: String
  /// How often the job was given to a worker in this phase, this time included; lost workers count.
  public let attempt: Int
  /// The pipeline's name; empty where the phase runs alone.
  public let pipeline: String
  /// A folder for scratch files, where the worker was given one.
  public let workDirectory: String?
  /// Milliseconds since 1970 after which the child may be killed; nil: no limit.
  public let deadlineUnixMilliseconds: Int64?

  /// The host's table, until `execute` has returned.
  private let table: Mutex<LentJob?>

  private struct LentJob: @unchecked Sendable {
    let pointer: UnsafePointer<ct_job>
  }

  init(_ job: UnsafePointer<ct_job>) {
    id = String(job.pointee.id)
    attempt = Int(job.pointee.attempt)
    pipeline = String(job.pointee.pipeline)
    let folder = String(job.pointee.work_dir)
    workDirectory = folder.isEmpty ? nil : folder
    deadlineUnixMilliseconds = job.pointee.deadline_unix_ms == 0 ? nil : job.pointee.deadline_unix_ms
    table = Mutex(LentJob(pointer: job))
  }

  /// A logger whose lines carry the job's id.
  public var logger: PluginLogger {
    PluginLogger { level, message in
      self.lent { job in withText(message) { job.pointee.log(job, level, $0) } }
    }
  }

  /// Shows how far the job is. Cheap; the worker passes on only some of many.
  /// - Parameter fraction: from 0 to 1.
  public func progress(_ fraction: Double, note: String = "") {
    lent { job in _ = withText(note) { job.pointee.progress(job, fraction, $0) } }
  }

  /// True once the job is to stop. Cheap enough for inner loops.
  public var isCancelled: Bool {
    lent { $0.pointee.is_cancelled($0) != 0 } ?? false
  }

  /// - Throws: `CancellationError` once the job is to stop.
  public func checkCancellation() throws {
    if isCancelled { throw CancellationError() }
  }

  /// The host takes its memory back.
  func end() {
    table.withLock { $0 = nil }
  }

  @discardableResult
  private func lent<Value: Sendable>(_ body: (UnsafePointer<ct_job>) -> Value) -> Value? {
    table.withLock { $0.map { body($0.pointer) } }
  }
}

extension String {
  init(_ text: ct_str) {
    self.init(decoding: UnsafeRawBufferPointer(start: text.ptr, count: text.ptr == nil ? 0 : text.len), as: UTF8.self)
  }
}

func withText<Value>(_ text: String, _ body: (ct_str) -> Value) -> Value {
  var text = text
  return text.withUTF8 { bytes in
    body(ct_str(ptr: UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), len: bytes.count))
  }
}
