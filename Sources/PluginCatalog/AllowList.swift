import Glibc

/// The SHA-256 sums of the plugins that may run on this machine, where its administrator keeps such a list.
struct AllowList {
  /// Where a list applies without being named.
  static let systemPath = "/etc/carbontube/plugins.allow"

  /// Of the list in force; nil where there is none and every trusted file may run.
  let path: String?

  init(path: String?) { self.path = path }

  /// CARBONTUBE_PLUGINS_ALLOW where it is set, else the system's list where it exists.
  init() {
    if let named = getenv("CARBONTUBE_PLUGINS_ALLOW").map({ String(cString: $0) }), !named.isEmpty {
      path = named
    } else {
      path = access(Self.systemPath, F_OK) == 0 ? Self.systemPath : nil
    }
  }

  /// - Throws: where a list is in force and does not hold the sum, or cannot be read or trusted.
  func check(_ sha256: String, of file: String) throws(PluginRefusal) {
    guard let path else { return }
    let sums: Set<String>
    do throws(PluginRefusal) {
      sums = try self.sums(in: path)
    } catch {
      throw PluginRefusal(
        kind: .notAllowed, file: file,
        reason: "cannot be allowed, since the list of allowed plugins \(path) \(words(of: error))")
    }
    guard sums.contains(sha256) else {
      let name = file.split(separator: "/").last.map(String.init) ?? file
      throw PluginRefusal(
        kind: .notAllowed, file: file,
        reason: "is not on the list of allowed plugins; to allow it, add the line '\(sha256)  \(name)' to \(path)")
    }
  }

  private func words(of refusal: PluginRefusal) -> String {
    guard refusal.kind == .unreadable, access(refusal.file, F_OK) != 0 else { return refusal.reason }
    return "does not exist; correct CARBONTUBE_PLUGINS_ALLOW, or make the list"
  }

  /// Lines as sha256sum prints them; only the first word counts, and what follows a # does not.
  private func sums(in path: String) throws(PluginRefusal) -> Set<String> {
    let list = try OpenedFile(path)
    guard let resolved = realpath(path, nil) else {
      throw PluginRefusal(kind: .unreadable, file: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { free(resolved) }
    try checkLocation(list, resolved: String(cString: resolved))
    guard let bytes = list.bytes(at: 0, count: list.size) else {
      throw PluginRefusal(kind: .unreadable, file: path, reason: "cannot be read, so no plugin can be allowed")
    }
    var sums: Set<String> = []
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      if let sum = words.first { sums.insert(sum.lowercased()) }
    }
    return sums
  }
}
