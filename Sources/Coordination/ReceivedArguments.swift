internal import ControlProtocol
internal import WireProtocol

/// The arguments of a request as they came, with what must be known of them before they are believed.
struct ReceivedArguments<Arguments: VerbArguments> {
  private let arguments: Result<Arguments, VerbArgumentsError>
  private let names: Set<String>
  /// Members whose value is null.
  private let nulls: Set<String>
  private let hasDuplicates: Bool

  /// - Parameter payload: as on the wire.
  static func decoding<V: Verb>(
    _ payload: [UInt8], of verb: V.Type
  ) throws(Refusal) -> Arguments where V.Arguments == Arguments {
    let received: Self
    do {
      let json = try CompressedJSON.json(in: payload, maximumBytes: verb.maximumArgumentBytes)
      received = try Self(json: json.isEmpty ? Array("{}".utf8) : json)
    } catch {
      throw Refusal(code: .invalid, message: "the arguments are not a JSON object with the members of the verb")
    }
    // What is misspelt, or said to a verb that does not heed it, must not be passed over: a filter that says less means more.
    if let unknown = received.names.subtracting(Arguments.members).min() {
      throw Refusal(code: .invalid, message: "'\(verb.name)' has no argument '\(unknown.prefix(64))'")
    }
    if received.hasDuplicates {
      throw Refusal(code: .invalid, message: "an argument stands there twice; name each once")
    }
    if verb.effect == .changes, let empty = received.nulls.min() {
      throw Refusal(code: .invalid, message: "'\(empty)' is null; name something, or leave it out")
    }
    do throws(VerbArgumentsError) {
      return try received.arguments.get()
    } catch {
      throw Refusal(code: .invalid, message: error.message)
    }
  }

  /// - Throws: where `json` is no object, or a member has a value of another type.
  private init(json: [UInt8]) throws {
    let decoded = try ControlJSON.value(Decoded.self, from: json)
    (arguments, names, nulls) = (decoded.arguments, decoded.names, decoded.nulls)
    hasDuplicates = Self.membersCount(of: json) > names.count
  }

  /// How many members the outermost object of what is known to be JSON has, the same name counted each time.
  private static func membersCount(of json: [UInt8]) -> Int {
    var (count, depth, isInText, isEscaped) = (0, 0, false, false)
    for byte in json {
      if isInText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else {
          isInText = byte != UInt8(ascii: "\"")
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: count += 1
      default: break
      }
    }
    return count
  }

  private struct Decoded: Decodable {
    let arguments: Result<Arguments, VerbArgumentsError>
    var names: Set<String> = []
    var nulls: Set<String> = []

    private struct AnyName: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let all = try decoder.container(keyedBy: AnyName.self)
      for name in all.allKeys {
        names.insert(name.stringValue)
        if try all.decodeNil(forKey: name) { nulls.insert(name.stringValue) }
      }
      do {
        arguments = .success(try Arguments(from: decoder))
      } catch let error as VerbArgumentsError {
        arguments = .failure(error)
      }
    }
  }
}
