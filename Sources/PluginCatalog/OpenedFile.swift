import Glibc

/// A plugin's file, opened once: what is checked is what is copied, whatever happens to its name meanwhile.
struct OpenedFile: ~Copyable {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(_ path: String) throws(PluginRefusal) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw PluginRefusal(kind: .unreadable, file: path, reason: reasonForNotOpening(path, errno))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw PluginRefusal(
        kind: .unreadable, file: path, reason: "is not a regular file; give the path of a plugin (.so)")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// As the file is now.
  var status: stat {
    var status = stat()
    fstat(descriptor, &status)
    return status
  }

  /// The bytes of a range; nil where the file ends before it.
  func bytes(at offset: Int, count: Int) -> [UInt8]? {
    guard offset >= 0, count >= 0, count <= size, offset <= size - count else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes[done...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset + done) }
      guard got > 0 else { return nil }
      done += got
    }
    return bytes
  }
}

private func reasonForNotOpening(_ path: String, _ code: Int32) -> String {
  guard code == ENOENT else { return "cannot be read: \(String(cString: strerror(code)))" }
  // What a folder's listing gives for bytes that are no text.
  return path.unicodeScalars.contains("\u{fffd}")
    ? "has a name that is not UTF-8; rename it" : "does not exist; give the path of a built plugin (.so)"
}
