internal import FoundationEssentials

/// The arguments of a request as they came, with what must be known of them before they are believed.
struct ReceivedArguments {
  let arguments: VerbArguments
  let names: Set<String>
  /// Members whose value is null.
  let nulls: Set<String>
  let hasDuplicates: Bool

  /// - Throws: where `json` is no object, or a member has a value of another type.
  init(json: [UInt8]) throws {
    let decoded = try JSONDecoder().decode(Decoded.self, from: Data(json))
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
    var arguments = VerbArguments()
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
      let members = try decoder.container(keyedBy: VerbArguments.Member.self)
      arguments.id = try members.decodeIfPresent(String.self, forKey: .id)
      arguments.ids = try members.decodeIfPresent([String].self, forKey: .ids)
      arguments.states = try members.decodeIfPresent([String].self, forKey: .states)
      arguments.phase = try members.decodeIfPresent(String.self, forKey: .phase)
      arguments.error = try members.decodeIfPresent(String.self, forKey: .error)
      arguments.containing = try members.decodeIfPresent(String.self, forKey: .containing)
      arguments.idPrefix = try members.decodeIfPresent(String.self, forKey: .idPrefix)
      arguments.cursor = try members.decodeIfPresent(String.self, forKey: .cursor)
      arguments.limit = try members.decodeIfPresent(Int.self, forKey: .limit)
      arguments.minutes = try members.decodeIfPresent(Int.self, forKey: .minutes)
      arguments.step = try members.decodeIfPresent(Int.self, forKey: .step)
      arguments.worker = try members.decodeIfPresent(String.self, forKey: .worker)
      arguments.plugin = try members.decodeIfPresent(String.self, forKey: .plugin)
      arguments.after = try members.decodeIfPresent(Int.self, forKey: .after)
      arguments.since = try members.decodeIfPresent(Int64.self, forKey: .since)
      arguments.until = try members.decodeIfPresent(Int64.self, forKey: .until)
      arguments.level = try members.decodeIfPresent(String.self, forKey: .level)
    }
  }
}
