import CPhaseABI
import Glibc
import HostProtocol
import Synchronization

/// The job that this child runs right now, or none: what `ct_job`'s callbacks and the control channel look at. One
/// object for the life of the process, so that a plugin's thread that calls too late finds memory, not a crash.
final class CurrentJob: Sendable {
  static let maximumResultLength = 16 << 20
  private static let progressInterval: Int64 = 50

  private struct State {
    var token: UInt64 = 0
    var output: [UInt8]?
    /// Why the result that was set last was not taken.
    var refusal: String?
    /// Cancelled before they began: the channels race. A few are enough, the parent queues 32 jobs ahead.
    var cancelledEarly: [UInt64] = []
    /// Taken back before they began.
    var withdrawn: Set<UInt64> = []
    /// What was withdrawn too late.
    var lastBegun: UInt64 = 0
    var wakeUp: (@Sendable () -> Void)?
    var lastProgress: Int64 = 0
    /// Of the running job.
    var measures = HostMeasures()
    /// Of all jobs of this child, which bounds the names.
    var allMeasures = HostMeasures()
  }

  /// The parent has at most a few dozen jobs here; what it withdraws beyond this runs.
  private static let maximumWithdrawn = 1_024

  private let channel: ReportChannel
  private let state = Mutex(State())
  /// Held while the plugin's cancel() is called: it must never see an instance whose run() is over. Apart from the
  /// state, since cancel() may log, which looks at the state. Taken before it.
  private let wakingUp = Mutex(())
  private let cancelled = Atomic<Bool>(false)

  init(channel: ReportChannel) {
    self.channel = channel
  }

  /// - Parameter wakeUp: called at most once, from the control thread, if the job is cancelled before `end()`.
  /// - Returns: false where the job was cancelled before it began.
  func begin(token: UInt64, wakeUp: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      if let early = state.cancelledEarly.firstIndex(of: token) {
        state.cancelledEarly.remove(at: early)
        return false
      }
      state.token = token
      state.output = nil
      state.refusal = nil
      state.wakeUp = wakeUp
      state.lastProgress = 0
      cancelled.store(false, ordering: .releasing)
      return true
    }
  }

  /// What the job has set as its result.
  enum Output: Equatable {
    case nothing
    case object([UInt8])
    /// The last one was not taken; the words complete "its result …".
    case refused(String)
  }

  /// Waits for a `wakeUp` that is under way.
  func end() -> Output {
    wakingUp.withLock { _ in
      state.withLock { state in
        defer {
          state.token = 0
          state.output = nil
          state.wakeUp = nil
        }
        if let refusal = state.refusal { return .refused(refusal) }
        return state.output.map(Output.object) ?? .nothing
      }
    }
  }

  /// - Returns: false where the job was withdrawn: nothing more is said of it.
  func mayBegin(token: UInt64) -> Bool {
    state.withLock { state in
      guard state.withdrawn.remove(token) == nil else { return false }
      state.lastBegun = token
      return true
    }
  }

  /// Takes a job back, and says so, unless it has begun. Jobs begin in the order in which they came, so whatever is not
  /// the last one to begin has either ended, which the parent knows by then, or not begun.
  func withdraw(token: UInt64) {
    state.withLock { state in
      guard token != state.lastBegun, state.withdrawn.count < Self.maximumWithdrawn else { return }
      state.withdrawn.insert(token)
      // Within the lock: the result of a job behind it must not be there before.
      channel.send(.withdrawn(token: token))
    }
  }

  func cancel(token: UInt64) {
    wakingUp.withLock { _ in
      let wakeUp = state.withLock { state -> (@Sendable () -> Void)? in
        guard state.token == token else {
          if state.cancelledEarly.count >= 64 { state.cancelledEarly.removeFirst() }
          state.cancelledEarly.append(token)
          return nil
        }
        cancelled.store(true, ordering: .releasing)
        defer { state.wakeUp = nil }
        return state.wakeUp
      }
      wakeUp?()
    }
  }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  func setResult(_ result: ct_bytes) -> ct_status {
    guard let start = result.ptr else { return refuse("is NULL") }
    guard result.len <= Self.maximumResultLength else {
      return refuse("is \(result.len) bytes long; the limit is \(Self.maximumResultLength)")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: result.len)
    guard looksLikeObject(bytes) else { return refuse("is not a JSON object") }
    let copy = Array(bytes)
    state.withLock { state in
      guard state.token != 0 else { return }
      state.output = copy
      state.refusal = nil
    }
    return CTStatus.ok
  }

  private func refuse(_ words: String) -> ct_status {
    state.withLock { if $0.token != 0 { $0.refusal = words } }
    return CTStatus.badInput
  }

  func progress(_ fraction: Double, note: String) -> ct_status {
    guard !fraction.isNaN else { return CTStatus.badInput }
    let now = monotonicMilliseconds()
    let token = state.withLock { state -> UInt64 in
      guard fraction >= 1 || now - state.lastProgress >= Self.progressInterval else { return 0 }
      state.lastProgress = now
      return state.token
    }
    if token != 0 { channel.send(.progress(token: token, fraction: min(max(fraction, 0), 1), note: note)) }
    return CTStatus.ok
  }

  func log(_ level: Int32, _ message: String, fields: [HostLogField] = []) {
    let token = state.withLock { $0.token }
    channel.send(.log(token: token, level: HostLogLevel(abi: level), message: message, fields: fields))
  }

  func measure(_ measure: HostMeasure) -> ct_status {
    state.withLock { state in
      guard state.token != 0, state.allMeasures.add(measure), state.measures.add(measure) else {
        return CTStatus.badInput
      }
      return CTStatus.ok
    }
  }

  /// What the job that has ended counted and measured.
  func takeMeasures() -> [HostMeasure] {
    state.withLock { state in
      guard !state.measures.isEmpty else { return [] }
      defer { state.measures = HostMeasures() }
      return state.measures.all
    }
  }
}

/// `ct_status` as numbers: the enum of C is imported under another type than the functions return.
enum CTStatus {
  static let ok = ct_status(CT_OK)
  static let badInput = ct_status(CT_BAD_INPUT)
}

extension HostLogLevel {
  init(abi level: Int32) {
    self = UInt8(exactly: level).flatMap(HostLogLevel.init(rawValue:)) ?? .info
  }
}

/// Whole JSON is read where results are merged; this only turns the common slip, a bare value, into an error at once.
private func looksLikeObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
  func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
  return bytes.first { !isSpace($0) } == UInt8(ascii: "{") && bytes.last { !isSpace($0) } == UInt8(ascii: "}")
}

private func monotonicMilliseconds() -> Int64 {
  // Never 0, which stands for "not yet".
  Int64(monotonicNanoseconds() / 1_000_000) + 1_000
}
