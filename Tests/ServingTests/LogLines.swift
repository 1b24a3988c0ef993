import Dispatch
import Logging
import PluginTestKit
import Synchronization

/// What was logged, for a test that waits for it.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  private let arrival = DispatchSemaphore(value: 0)

  var logger: Logger { Logger(label: "test", factory: { [self] _ in Handler(lines: self) }) }

  /// Returns when a line with this text was logged, before the call or after it, `times` times.
  func wait(for text: String, times: Int = 1) throws {
    while true {
      let seen = lines.withLock { $0 }
      if seen.count(where: { $0.contains(text) }) >= times { return }
      guard arrival.wait(timeout: .now() + .seconds(Int(patience.components.seconds))) == .success else {
        throw Unexpected("no '\(text)' in:\n\(seen.joined(separator: "\n"))")
      }
    }
  }

  private func add(_ line: String) {
    lines.withLock { $0.append(line) }
    arrival.signal()
  }

  private struct Handler: LogHandler {
    let lines: LogLines
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.message)") }
  }
}
