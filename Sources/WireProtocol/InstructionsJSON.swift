internal import CSimdJSON

/// Instructions that are not what they must be, in words for whoever sent them.
public struct InstructionsError: Error, Hashable, Sendable, CustomStringConvertible {
  public let message: String
  public var description: String { message }
  public init(message: String) { self.message = message }
}

/// What the product knows about instructions: they are one JSON object, and a result's members override theirs.
public enum InstructionsJSON {
  /// Instructions larger than this are refused (after decompression).
  public static let maximumBytes = 16 << 20

  /// - Throws: why `text` is not one JSON object.
  public static func check(_ text: [UInt8]) throws(InstructionsError) {
    let problem = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 160) { message -> String? in
      let refused = text.withUnsafeBufferPointer { text in
        ct_json_check_object(text.baseAddress, text.count, message.baseAddress, message.count)
      }
      return refused == 0 ? nil : sentence(message)
    }
    if let problem { throw InstructionsError(message: "instructions must be one JSON object: \(problem)") }
  }

  /// `instructions` with the top-level members of `result` put in. Every value keeps its spelling.
  ///
  /// - Throws: where either is not one JSON object.
  public static func merging(_ result: [UInt8], into instructions: [UInt8]) throws(InstructionsError) -> [UInt8] {
    var message = [CChar](repeating: 0, count: 160)
    let capacity = instructions.count + result.count + 2
    let merged = [UInt8](unsafeUninitializedCapacity: capacity) { out, count in
      count = instructions.withUnsafeBufferPointer { base in
        result.withUnsafeBufferPointer { patch in
          message.withUnsafeMutableBufferPointer { message in
            ct_json_merge_objects(
              base.baseAddress, base.count, patch.baseAddress, patch.count, out.baseAddress, message.baseAddress,
              message.count)
          }
        }
      }
    }
    guard !merged.isEmpty else {
      throw InstructionsError(message: "a result must be one JSON object: \(sentence(message))")
    }
    return merged
  }

  private static func sentence(_ message: some Sequence<CChar>) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
