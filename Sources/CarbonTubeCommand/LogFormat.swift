internal import ArgumentParser
internal import FoundationEssentials
internal import Logging
internal import PipelineModel
internal import Synchronization

/// How log lines are written.
enum LogFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// For people: time, level, logger, message, then what else is known in brackets.
  case text
  /// For programs: one JSON object a line, with what is known as members of their own.
  case json

  private static let chosen = Mutex(LogFormat.text)

  /// Of everything that this process writes to stderr from now on.
  static var current: LogFormat { chosen.withLock { $0 } }
  func choose() { Self.chosen.withLock { $0 = self } }

  /// Members whose words stand in the message already.
  private static let saidInMessage: Set<String> = ["job", "phase", "reason", "outcome"]

  /// - Parameter metadata: names of members, in snake_case.
  func line(
    at time: Timestamp, level: String, logger: String, message: String, _ metadata: Logger.Metadata
  ) -> String {
    switch self {
    case .text:
      let rest = metadata.filter { !Self.saidInMessage.contains($0.key) && !"\($0.value)".isEmpty }
        .sorted { $0.key < $1.key }.map { Self.words($0.key, $0.value) }
      return "\(time.iso8601) \(level) \(logger): \(message)\(rest.isEmpty ? "" : " [\(rest.joined(separator: ", "))]")"
    case .json:
      var members = Dictionary(uniqueKeysWithValues: metadata.map { ($0.key, Member($0.value, of: $0.key)) })
      members["time"] = .text(time.iso8601Milliseconds)
      members["level"] = .text(level)
      members["logger"] = .text(logger)
      members["message"] = .text(message)
      return JSONText.shown(Array(JSONText.of(members).utf8))
    }
  }

  /// What a phase said in fields stands there as if it were the line's own.
  private static func words(_ name: String, _ value: Logger.MetadataValue) -> String {
    guard case .dictionary(let fields) = value else { return "\(name) \(value)" }
    return fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private enum Member: Encodable {
    case text(String)
    case number(Int)
    case fields([String: String])

    /// Metadata is text by nature; the one member that counts becomes a number. An id of digits stays text.
    init(_ value: Logger.MetadataValue, of name: String) {
      if case .dictionary(let fields) = value {
        self = .fields(fields.mapValues { "\($0)" })
      } else if name == "attempt", let number = Int("\(value)") {
        self = .number(number)
      } else {
        self = .text("\(value)")
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      case .fields(let fields): try container.encode(fields)
      }
    }
  }
}

/// Writes to `LogLines`, which never holds its caller up.
struct LineLogHandler: LogHandler {
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let known = metadata.merging(event.metadata ?? [:]) { _, own in own }
    LogLines.standardError.write(
      LogFormat.current.line(
        at: .now(), level: event.level.rawValue, logger: label, message: "\(event.message)", known))
  }
}
