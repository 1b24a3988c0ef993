import FoundationEssentials

/// - Throws: `PhaseError` for bad input that names the member at fault.
func decodeInstructions<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(PhaseError) -> Value {
  try decode(type, from: bytes, location: "instructions")
}

/// - Throws: `PhaseError` for bad input that names the member at fault.
func decodeSettings<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(PhaseError) -> Value {
  try decode(type, from: bytes, location: "settings")
}

private func decode<Value: Decodable>(
  _ type: Value.Type, from bytes: [UInt8], location: String
) throws(PhaseError) -> Value {
  do {
    return try JSONDecoder().decode(Value.self, from: Data(bytes))
  } catch let error as DecodingError {
    throw PhaseError(kind: .badInput, message: describe(error), location: location)
  } catch {
    throw PhaseError(kind: .badInput, message: "\(error)", location: location)
  }
}

extension Instructions {
  /// Keeps every number as it is written.
  /// - Throws: `PhaseError` for bad input.
  init(parsing bytes: [UInt8]) throws(PhaseError) {
    do throws(JSONError) {
      guard case .object(let members) = try JSONParser.parse(bytes) else {
        throw JSONError(message: "the whole is not a JSON object")
      }
      self.init(members)
    } catch {
      throw PhaseError(kind: .badInput, message: error.message, location: "instructions")
    }
  }

  /// - Throws: `PhaseError` where a member has no form in JSON.
  func encoded() throws(PhaseError) -> [UInt8] {
    do throws(JSONError) {
      return try JSONWriter.write(members)
    } catch {
      throw PhaseError(kind: .bug, message: "its result cannot be written as JSON: \(error)", location: "")
    }
  }
}

/// - Throws: `PhaseError` where the result does not encode, or not as an object.
func encodeResult(_ output: some Encodable) throws(PhaseError) -> [UInt8] {
  let bytes: [UInt8]
  do {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    bytes = try Array(encoder.encode(output))
  } catch {
    throw PhaseError(kind: .bug, message: "its result cannot be written as JSON: \(error)", location: "")
  }
  guard bytes.first == UInt8(ascii: "{") else {
    throw PhaseError(kind: .bug, message: "its result is not a JSON object", location: "")
  }
  return bytes
}

private func describe(_ error: DecodingError) -> String {
  switch error {
  case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
  case .valueNotFound(_, let context): "\(path(context.codingPath)) is null"
  case .typeMismatch(let type, let context): "\(path(context.codingPath)) is not of type \(type)"
  case .dataCorrupted(let context):
    context.codingPath.isEmpty ? context.debugDescription : "\(path(context.codingPath)): \(context.debugDescription)"
  @unknown default: "\(error)"
  }
}

private func path(_ keys: [any CodingKey]) -> String {
  keys.isEmpty
    ? "the whole" : keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
}
