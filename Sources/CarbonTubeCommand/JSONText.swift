internal import FoundationEssentials
internal import CarbonTube
internal import PipelineModel

enum JSONText {
  /// One line, members in a fixed order, so that scripts and tests can compare.
  static func of(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// A document of a verb.
  static func decode<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws(CommandFailure) -> Value {
    do {
      return try ControlJSON.value(type, from: json)
    } catch {
      throw CommandFailure(.unavailable, "the coordinator's answer cannot be read; is it of another version?")
    }
  }
}

extension JSONText {
  /// The JSON text in a payload frame.
  static func json(in payload: [UInt8]) -> [UInt8] {
    (try? CompressedJSON.json(in: payload)) ?? Array(#""(damaged)""#.utf8)
  }

  /// For JSON lines: line breaks, which JSON has between its words alone, become spaces; all else stays byte for byte.
  static func onOneLine(_ json: [UInt8]) -> String {
    String(decoding: json.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }, as: UTF8.self)
  }

  /// For people: what steers a terminal is written as JSON escapes it, so that it stays the same JSON.
  static func shown(_ json: [UInt8]) -> String {
    var text = ""
    for scalar in onOneLine(json).unicodeScalars {
      guard scalar.steersATerminal else {
        text.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      text += scalar == "\t" ? " " : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    return text
  }
}

extension Timestamp {
  /// In UTC, as RFC 3339 has it.
  var iso8601Milliseconds: String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// In UTC, to the second.
  var iso8601: String { Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601) }
}
