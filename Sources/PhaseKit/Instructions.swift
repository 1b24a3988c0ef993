internal import FoundationEssentials

/// Any JSON value.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  /// A number that neither `Int64` nor `Double` holds, as it is written in JSON: `18446744073709551616`, `1e309`. It is
  /// passed on digit by digit.
  case literal(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
  /// Nil for numbers with a fraction or beyond 64 bits.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }
  /// The nearest; nil for what is no number, or beyond what a `Double` reaches.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .literal(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }
}

/// The instructions of a job, or what a phase adds to them: a JSON object.
public struct Instructions: Hashable, Sendable {
  public var members: [String: JSONValue]

  public init(_ members: [String: JSONValue] = [:]) {
    self.members = members
  }

  /// Nil where there is no such member; setting nil removes it.
  public subscript(_ name: String) -> JSONValue? {
    get { members[name] }
    set { members[name] = newValue }
  }
}

extension JSONValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = JSONValue.exact(value, in: container)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .literal(let text): try container.encode(try JSONValue.decimal(text, at: container.codingPath))
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSONValue {
  /// Foundation's decoder gives no more than the 38 digits of a `Decimal`.
  private static func exact(_ value: Double, in container: any SingleValueDecodingContainer) -> JSONValue {
    guard abs(value) >= 0x1p63, let decimal = try? container.decode(Decimal.self) else { return .number(value) }
    return .literal("\(decimal)")
  }

  /// - Throws: where Foundation's encoder cannot write the number; it is not changed in silence.
  private static func decimal(_ text: String, at path: [any CodingKey]) throws -> Decimal {
    guard let decimal = Decimal(string: text), "\(decimal)" == text else {
      throw EncodingError.invalidValue(
        text,
        EncodingError.Context(
          codingPath: path,
          debugDescription: "a typed result cannot hold the number \(text); an UntypedPhase can"))
    }
    return decimal
  }
}

extension Instructions: Codable {
  public init(from decoder: any Decoder) throws {
    members = try [String: JSONValue](from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try members.encode(to: encoder)
  }
}

extension Instructions: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    members = Dictionary(elements) { _, last in last }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
}
