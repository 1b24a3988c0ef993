internal import FoundationEssentials

/// Arguments and answers as the JSON texts that travel.
public enum ControlJSON {
  /// One line, members in the order of their names, so that scripts and tests can compare.
  ///
  /// - Returns: an empty object where the value has a number that JSON has no word for.
  public static func text(of value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { [UInt8]($0) } ?? Array("{}".utf8)
  }

  /// Members that are not known are passed over: a later coordinator may say more.
  ///
  /// - Throws: `DecodingError`.
  public static func value<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws -> Value {
    try JSONDecoder().decode(type, from: Data(json))
  }
}
