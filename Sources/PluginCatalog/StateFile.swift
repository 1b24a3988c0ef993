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
      let data = try? JSONEncoder().encode(value),
      let draft = makeDraft("\(path).XXXXXX")
    else { return false }
    let isWritten = writeAll(Array(data), to: draft.descriptor)
    close(draft.descriptor)
    guard isWritten, rename(draft.path, path) == 0 else {
      unlink(draft.path)
      return false
    }
    return true
  }
}
