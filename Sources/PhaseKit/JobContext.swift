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

  /// Whom its calls go to, until `execute` has returned.
  private let listener: Mutex<Listener?>

  private enum Listener: @unchecked Sendable {
    /// The host's table.
    case host(UnsafePointer<ct_job>)
    case recorder(JobRecorder)
  }

  init(_ job: UnsafePointer<ct_job>) {
    id = String(job.pointee.id)
    attempt = Int(job.pointee.attempt)
    pipeline = String(job.pointee.pipeline)
    let folder = String(job.pointee.work_dir)
    workDirectory = folder.isEmpty ? nil : folder
    deadlineUnixMilliseconds = job.pointee.deadline_unix_ms == 0 ? nil : job.pointee.deadline_unix_ms
    listener = Mutex(.host(job))
  }

  /// For tests of a phase: `execute` can be called with it as with any other value.
  ///
  /// - Parameters:
  ///   - id: of the job.
  ///   - attempt: from 1.
  ///   - pipeline: its name; empty where the phase runs alone.
  ///   - workDirectory: a folder for scratch files.
  ///   - deadlineUnixMilliseconds: since 1970; nil: no limit.
  ///   - recorder: keeps what the phase logs and how far it says it is; can ask it to stop.
  public init(
    testing id: String, attempt: Int = 1, pipeline: String = "", workDirectory: String? = nil,
    deadlineUnixMilliseconds: Int64? = nil, recorder: JobRecorder = JobRecorder()
  ) {
    self.id = id
    self.attempt = attempt
    self.pipeline = pipeline
    self.workDirectory = workDirectory
    self.deadlineUnixMilliseconds = deadlineUnixMilliseconds
    listener = Mutex(.recorder(recorder))
  }

  /// A logger whose lines carry the job's id.
  public var logger: PluginLogger {
    PluginLogger { level, message, metadata in
      self.listener.withLock { listener in
        switch listener {
        case .host(let job): log(level, message, metadata, to: job)
        case .recorder(let recorder): recorder.note(level, message, metadata)
        case nil: break
        }
      }
    }
  }

  /// What the phase counts and measures. Names are `[a-z][a-z0-9_]{0,63}`, 64 of them at most; other calls do nothing.
  public var metrics: PhaseMetrics {
    PhaseMetrics { kind, name, value in
      self.listener.withLock { listener in
        switch listener {
        case .host(let job):
          guard let measure = job.has(\.measure) ? job.pointee.measure : nil else { return }
          _ = withText(name) { measure(job, kind, $0, value) }
        case .recorder(let recorder): recorder.note(kind, name, value)
        case nil: break
        }
      }
    }
  }

  /// Shows how far the job is. Cheap; the worker passes on only some of many.
  /// - Parameters:
  ///   - fraction: from 0 to 1.
  ///   - note: a few words for people.
  public func progress(_ fraction: Double, note: String = "") {
    listener.withLock { listener in
      switch listener {
      case .host(let job): _ = withText(note) { job.pointee.progress(job, fraction, $0) }
      case .recorder(let recorder): recorder.note(fraction, note)
      case nil: break
      }
    }
  }

  /// True once the job is to stop. Cheap enough for inner loops.
  public var isCancelled: Bool {
    listener.withLock { listener in
      switch listener {
      case .host(let job): job.pointee.is_cancelled(job) != 0
      case .recorder(let recorder): recorder.isCancelled
      case nil: false
      }
    }
  }

  /// - Throws: `CancellationError` once the job is to stop.
  public func checkCancellation() throws {
    if isCancelled { throw CancellationError() }
  }

  /// The host takes its memory back.
  func end() {
    listener.withLock { $0 = nil }
  }
}

extension UnsafePointer<ct_job> {
  /// `CT_HAS` of carbontube.h: an older host's struct ends before what came later.
  func has<Field>(_ path: KeyPath<ct_job, Field>) -> Bool {
    guard let offset = MemoryLayout<ct_job>.offset(of: path) else { return false }
    let size = UnsafeRawPointer(self).load(as: UInt32.self)
    return offset + MemoryLayout<Field>.size <= Int(size)
  }
}

private func log(_ level: Int32, _ message: String, _ metadata: PluginLogger.Metadata, to job: UnsafePointer<ct_job>) {
  guard !metadata.isEmpty, job.has(\.log_fields), let logFields = job.pointee.log_fields else {
    return withText(metadata.appended(to: message)) { job.pointee.log(job, level, $0) }
  }
  // One block for all texts, so that their addresses hold until the host has copied them.
  var bytes: [UInt8] = []
  var ends: [(name: Range<Int>, value: Range<Int>)] = []
  for (name, value) in metadata.sorted(by: { $0.key < $1.key }).prefix(32) {
    let start = bytes.count
    bytes += name.utf8
    let middle = bytes.count
    bytes += value.utf8
    ends.append((start..<middle, middle..<bytes.count))
  }
  bytes.withUnsafeBytes { block in
    func text(_ range: Range<Int>) -> ct_str {
      ct_str(
        ptr: block.baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: CChar.self), len: range.count)
    }
    let fields = ends.map { ct_field(name: text($0.name), value: text($0.value)) }
    withText(message) { logFields(job, level, $0, fields, fields.count) }
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
