internal import FoundationEssentials

/// A JSON document of any shape.
enum JSONDocument: Hashable, Sendable, Codable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONDocument])
  case object([String: JSONDocument])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSONDocument].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSONDocument].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .integer(let integer): try value.encode(integer)
    case .number(let number): try value.encode(number)
    case .string(let string): try value.encode(string)
    case .array(let array): try value.encode(array)
    case .object(let object): try value.encode(object)
    }
  }

  /// - Throws: where `json` is no JSON.
  init(parsing json: [UInt8]) throws { self = try JSONDecoder().decode(JSONDocument.self, from: Data(json)) }

  /// Members as they are named in Swift, in snake_case.
  init(encoding value: some Encodable) throws { self = try JSONDocument(parsing: Self.encoded(value)) }

  static func encoded(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return [UInt8](try encoder.encode(value))
  }

  /// One line, members in order.
  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { [UInt8]($0) } ?? []
  }

  /// A member of an object; null where there is none.
  subscript(name: String) -> JSONDocument {
    get { if case .object(let members) = self { members[name] ?? .null } else { .null } }
    set {
      guard case .object(var members) = self else { return }
      // Out of the payload first, so that a large object is not copied for each change.
      self = .null
      members[name] = newValue
      self = .object(members)
    }
  }

  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var elements: [JSONDocument] { if case .array(let values) = self { values } else { [] } }
  var members: [String: JSONDocument] { if case .object(let members) = self { members } else { [:] } }
}

extension JSONDocument {
  /// The JSON Merge Patch (RFC 7396) that makes `new` out of this document; nil where nothing is to be done. A member
  /// that is null is the same as one that is not there.
  func mergePatch(to new: JSONDocument) -> JSONDocument? {
    if self == new { return nil }
    guard case .object(let before) = self, case .object(let after) = new else { return new }
    var patch: [String: JSONDocument] = [:]
    for name in before.keys where after[name] == nil { patch[name] = .null }
    for (name, value) in after {
      if let former = before[name] {
        if let change = former.mergePatch(to: value) { patch[name] = change }
      } else {
        patch[name] = value
      }
    }
    return patch.isEmpty ? nil : .object(patch)
  }
}
