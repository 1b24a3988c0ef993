internal import Dispatch
internal import Glibc
internal import PipelineModel
internal import Synchronization
internal import ZeroMQTransport

/// Where log lines of the event loops go: written to stderr by a thread of its own, so that a reader that stands still
/// stops nobody. What it does not take in time is dropped and counted.
final class LogLines: TextOutputStream, Sendable {
  static let standardError = LogLines { writeAll($0, to: LogFile.descriptor ?? STDERR_FILENO) }

  private struct State {
    var lines: [[UInt8]] = []
    var bytes = 0
    var dropped = 0
    var isWriting = false
    var hasThread = false
  }

  private let limit: Int
  private let put: @Sendable ([UInt8]) -> Int32
  private let state = Mutex(State())
  private let arrived = DispatchSemaphore(value: 0)
  private let emptied = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - limit: bytes of lines that may wait to be written.
  ///   - put: writes; may block. Called on this object's thread alone.
  init(limit: Int = 4 << 20, _ put: @escaping @Sendable ([UInt8]) -> Int32) {
    self.limit = limit
    self.put = put
  }

  /// Takes one line with its line break; never waits.
  func write(_ line: String) {
    let text = line.last == "\n" ? line.dropLast() : line[...]
    let bytes = Array((text.escapingControlCharacters + "\n").utf8)
    let needsThread = state.withLock { state in
      guard state.bytes + bytes.count <= limit else {
        state.dropped += 1
        return false
      }
      state.lines.append(bytes)
      state.bytes += bytes.count
      defer { state.hasThread = true }
      return !state.hasThread
    }
    if needsThread { _ = LoopThread(name: "carbontube-log") { [self] in writeForever() } }
    arrived.signal()
  }

  /// Waits until all has been written, but no longer than this.
  func flush(upToMilliseconds limit: Int) {
    let deadline = DispatchTime.now() + .milliseconds(limit)
    while state.withLock({ !$0.lines.isEmpty || $0.isWriting || $0.dropped > 0 }) {
      guard emptied.wait(timeout: deadline) == .success else { return }
    }
  }

  private func writeForever() {
    while true {
      arrived.wait()
      while let bytes = next() { _ = put(bytes) }
      emptied.signal()
    }
  }

  /// All that waits, as one write; nil where nothing does.
  private func next() -> [UInt8]? {
    state.withLock { state in
      guard !state.lines.isEmpty || state.dropped > 0 else {
        state.isWriting = false
        return nil
      }
      var bytes = Array(state.lines.joined())
      if state.dropped > 0 {
        let line = StandardStreams.complaint(
          "carbontube: \(state.dropped) log lines dropped: "
            + (LogFile.descriptor == nil ? "whoever reads stderr is too slow" : "the disk of the log is too slow"))
        bytes += Array((line + "\n").utf8)
      }
      state = State(isWriting: true, hasThread: true)
      return bytes
    }
  }
}
