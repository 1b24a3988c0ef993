internal import FoundationEssentials

/// JSON, as settings of phases and the schemas of them are.
public enum SettingsValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([SettingsValue])
  case object([String: SettingsValue])

  /// Nesting beyond this is refused, so that no text can exhaust a stack.
  static let maximumDepth = 100

  /// - Throws: `SettingsError` with the reason.
  public init(parsing json: [UInt8]) throws(SettingsError) {
    guard Self.depth(of: json) <= Self.maximumDepth else {
      throw SettingsError("nests deeper than \(Self.maximumDepth) levels")
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(json))
    } catch {
      throw SettingsError("is not JSON")
    }
  }

  /// Of brackets outside of texts; an upper bound where the text is no JSON.
  private static func depth(of json: [UInt8]) -> Int {
    var (depth, deepest, isText, isEscaped) = (0, 0, false, false)
    for byte in json {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == 0x5c {
          isEscaped = true
        } else if byte == 0x22 {
          isText = false
        }
      } else {
        switch byte {
        case 0x22: isText = true
        case 0x5b, 0x7b: depth += 1
        case 0x5d, 0x7d: depth -= 1
        default: break
        }
        deepest = max(deepest, depth)
      }
    }
    return deepest
  }

  /// JSON text, members in a fixed order.
  public var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { [UInt8]($0) } ?? Array("null".utf8)
  }

  /// All texts in it, names of members excepted, and numbers of six digits or more: what may be a secret.
  public var texts: [String] {
    switch self {
    case .null, .bool: []
    case .integer(let value): "\(value)".utf8.count >= 6 ? ["\(value)"] : []
    case .number(let value): "\(value)".utf8.count >= 6 ? ["\(value)"] : []
    case .string(let value): [value]
    case .array(let values): values.flatMap(\.texts)
    case .object(let members): members.values.flatMap(\.texts)
    }
  }

  /// Objects are merged member by member; of all else the other one counts.
  public func merged(with other: SettingsValue) -> SettingsValue {
    guard case .object(let own) = self, case .object(let others) = other else { return other }
    return .object(own.merging(others) { $0.merged(with: $1) })
  }

  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// JSON Schema's word for it.
  var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

/// Why settings, or the schema of them, cannot be used: a clause without their name.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension SettingsValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([SettingsValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: SettingsValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
