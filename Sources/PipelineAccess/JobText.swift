internal import FoundationEssentials
internal import WireProtocol

extension PipelineClient.Job {
  /// A job as bulk files have it, one JSON object: `id`, `priority`, `delay` in seconds and `instructions`, each optional.
  /// The instructions are taken byte for byte.
  ///
  /// - Parameters:
  ///   - json: the object.
  ///   - priority: of a job that says none.
  ///   - delayMilliseconds: of a job that says none.
  /// - Throws: `JobTextError`, which says what is wrong without the text.
  public init(json: [UInt8], priority: Int = 0, delayMilliseconds: Int64 = 0) throws(JobTextError) {
    self.init(instructions: Array("{}".utf8), priority: priority, delayMilliseconds: delayMilliseconds)
    do throws(InstructionsError) {
      try InstructionsJSON.check(json)
    } catch {
      throw JobTextError(error.message.replacing("instructions must be", with: "a job must be"))
    }
    var seen: Set<String> = []
    for (name, value) in JSONMembers.members(of: json) {
      guard seen.insert(name).inserted else { throw JobTextError("'\(name.prefix(64))' stands there twice") }
      try set(name, to: value)
    }
  }

  private mutating func set(_ name: String, to value: ArraySlice<UInt8>) throws(JobTextError) {
    switch name {
    case "id":
      guard let text: String = Self.decoded(value) else { throw JobTextError("'id' must be a text") }
      id = text
    case "priority":
      guard let number: Int = Self.decoded(value), (-8...7).contains(number) else {
        throw JobTextError("'priority' must be a whole number from -8 to 7")
      }
      priority = number
    case "delay":
      let most = Double(EnqueueRequest.maximumDelayMilliseconds) / 1_000
      guard let seconds: Double = Self.decoded(value), (0...most).contains(seconds) else {
        throw JobTextError("'delay' must be a number of seconds, from 0 to 100 years")
      }
      delayMilliseconds = Int64((seconds * 1_000).rounded(.up))
    case "instructions":
      guard value.first == UInt8(ascii: "{") else { throw JobTextError("'instructions' must be a JSON object") }
      instructions = Array(value)
    default:
      throw JobTextError("'\(name.prefix(64))' is no member of a job; id, priority, delay and instructions are")
    }
  }

  private static func decoded<Value: Decodable>(_ json: ArraySlice<UInt8>) -> Value? {
    try? JSONDecoder().decode(Value.self, from: Data(json))
  }
}

/// What is wrong with the text of a job: a clause.
public struct JobTextError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

/// Cuts JSON that is known to be well-formed into the texts of its parts. Of the outermost level alone.
public enum JSONMembers {
  /// Of an object: names, decoded, and the bytes of their values.
  static func members(of object: [UInt8]) -> [(name: String, value: ArraySlice<UInt8>)] {
    parts(of: object).compactMap { part in
      guard let colon = Self.end(ofTextIn: part).flatMap({ part[$0...].firstIndex(of: UInt8(ascii: ":")) }) else {
        return nil
      }
      let name = trimmed(part[..<colon])
      let decoded = try? JSONDecoder().decode(String.self, from: Data(name))
      return (decoded ?? "", trimmed(part[(colon + 1)...]))
    }
  }

  /// Of an object its members, of an array its elements, without what stands between them.
  public static func parts(of json: [UInt8]) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    var (depth, start, isText, isEscaped) = (0, 0, false, false)
    for (index, byte) in json.enumerated() {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if depth == 1 { start = index + 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 1 { parts.append(trimmed(json[start..<index])) }
        depth -= 1
      case UInt8(ascii: ",") where depth == 1:
        parts.append(trimmed(json[start..<index]))
        start = index + 1
      default: break
      }
    }
    return parts.count == 1 && parts[0].isEmpty ? [] : parts
  }

  private static func end(ofTextIn part: ArraySlice<UInt8>) -> Int? {
    var isEscaped = false
    for index in part.indices.dropFirst() {
      if isEscaped {
        isEscaped = false
      } else if part[index] == UInt8(ascii: "\\") {
        isEscaped = true
      } else if part[index] == UInt8(ascii: "\"") {
        return index + 1
      }
    }
    return nil
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }

  /// Of JSON, and the two further ones that `isspace` knows.
  public static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}

extension PipelineClient.Job {
  /// - Parameter text: bare instructions.
  /// - Throws: `JobTextError` where they are not one JSON object.
  public init(instructionsOf text: [UInt8]) throws(JobTextError) {
    do throws(InstructionsError) {
      try InstructionsJSON.check(text)
    } catch {
      throw JobTextError(error.message)
    }
    self.init(instructions: text)
  }
}
