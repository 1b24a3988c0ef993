internal import FoundationEssentials
internal import PipelineModel

enum JSONText {
  /// One line, members in a fixed order, so that scripts and tests can compare.
  static func of(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws(CommandFailure) -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(type, from: Data(json))
    } catch {
      throw CommandFailure(.unavailable, "the coordinator's answer cannot be read; is it of another version?")
    }
  }
}

extension Timestamp {
  /// Nil where `text` is not a time by ISO 8601 with a zone.
  init?(iso8601 text: String) {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded()))
  }

  /// In UTC, to the second.
  var iso8601: String { Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601) }
}
