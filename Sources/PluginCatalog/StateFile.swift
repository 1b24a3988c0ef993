import FoundationEssentials
import Glibc

/// A small JSON document in the state folder, replaced as a whole, so that a reader never sees half of one.
enum StateFile {
  /// Nil where there is none, or none that can be read.
  static func read<Value: Decodable>(_ type: Value.Type, at path: String) -> Value? {
    guard let file = try? OpenedFile(path), let bytes = file.bytes(at: 0, count: file.size) else { return nil }
    return try? JSONDecoder().decode(type, from: Data(bytes))
  }

  /// - Returns: false where it could not be written; what was there before is then still there.
  static func write(_ value: some Encodable, to path: String) -> Bool {
    guard let slash = path.lastIndex(of: "/"), StateFolder.make(String(path[..<slash])) == 0,
      let data = try? JSONEncoder().encode(value)
    else { return false }
    var template = Array("\(path).XXXXXX".utf8CString)
    let draft = mkstemp(&template)
    guard draft >= 0 else { return false }
    let name = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let isWritten = writeAll(Array(data), to: draft)
    close(draft)
    guard isWritten, rename(name, path) == 0 else {
      unlink(name)
      return false
    }
    return true
  }
}
