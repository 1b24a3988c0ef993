internal import CRE2

/// A regular expression of a schema, as RE2 takes it: a search takes time that is linear in the text, whatever both say.
final class SchemaPattern: @unchecked Sendable {
  static let maximumBytes = 1_024
  /// Of its program, and of what a search keeps.
  static let maximumMemory = 512 << 10
  /// So many instructions of a program, for a byte each, are as much work as looking at a value.
  private static let instructionsPerStep = 128

  private let pattern: OpaquePointer

  /// - Throws: `SettingsError` where it is too long, too large once compiled, or needs what no linear search can do.
  init(_ text: String) throws(SettingsError) {
    let shown = String(decoding: SettingsValue.string(text).json, as: UTF8.self)
    guard text.utf8.count <= Self.maximumBytes else {
      throw SettingsError("has a 'pattern' of \(text.utf8.count) bytes; at most \(Self.maximumBytes) are taken")
    }
    var message = [CChar](repeating: 0, count: 256)
    var text = text
    let compiled = text.withUTF8 { bytes in
      ct_pattern_new(bytes.baseAddress, bytes.count, Self.maximumMemory, &message, message.count)
    }
    guard let compiled else {
      let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw SettingsError("has the 'pattern' \(shown), which RE2 does not take: \(reason)")
    }
    pattern = compiled
  }

  deinit { ct_pattern_free(pattern) }

  /// What looking for it in `text` takes at the very most, in steps of a check.
  func steps(for text: String) -> Int {
    let (work, isTooMuch) = text.utf8.count.multipliedReportingOverflow(by: max(1, ct_pattern_size(pattern)))
    return isTooMuch ? .max / 2 : work / Self.instructionsPerStep
  }

  func isFound(in text: String) -> Bool {
    var text = text
    return text.withUTF8 { ct_pattern_matches(pattern, $0.baseAddress, $0.count) } == 1
  }
}
