import Synchronization

/// What a phase said while a test ran it, and the test's way to ask it to stop. From any thread.
public final class JobRecorder: Sendable {
  public enum Level: Int32, Sendable {
    case debug, info, warning, error
  }

  /// A line of the job's log.
  public struct Line: Hashable, Sendable {
    public let level: Level
    public let message: String
    public let metadata: [String: String]
  }

  /// How far the job was said to be.
  public struct Progress: Hashable, Sendable {
    /// From 0 to 1.
    public let fraction: Double
    public let note: String
  }

  private struct State {
    var lines: [Line] = []
    var progress: [Progress] = []
    var counters: [String: Double] = [:]
    var gauges: [String: Double] = [:]
    var isCancelled = false
  }

  private let state = Mutex(State())

  public init() {}

  /// In the order in which they were logged.
  public var lines: [Line] { state.withLock(\.lines) }
  /// In the order in which it was told.
  public var progress: [Progress] { state.withLock(\.progress) }
  /// The sum of what was counted, by name.
  public var counters: [String: Double] { state.withLock(\.counters) }
  /// The last value of each.
  public var gauges: [String: Double] { state.withLock(\.gauges) }
  public var isCancelled: Bool { state.withLock(\.isCancelled) }

  /// From now on `JobContext.isCancelled` is true.
  public func cancel() { state.withLock { $0.isCancelled = true } }

  func note(_ level: Int32, _ message: String, _ metadata: [String: String]) {
    state.withLock {
      $0.lines.append(Line(level: Level(rawValue: level) ?? .info, message: message, metadata: metadata))
    }
  }

  func note(_ kind: Int32, _ name: String, _ value: Double) {
    state.withLock { state in
      if kind == 0 { state.counters[name, default: 0] += value } else { state.gauges[name] = value }
    }
  }

  func note(_ fraction: Double, _ note: String) {
    state.withLock { $0.progress.append(Progress(fraction: min(max(0, fraction), 1), note: note)) }
  }
}
