import Glibc

/// Where this user's copies of plugins are kept.
public enum StateFolder {
  /// CARBONTUBE_STATE_DIR, else XDG_CACHE_HOME/carbontube, else ~/.cache/carbontube; in a folder of its own in /tmp for
  /// a user without a home.
  public static func path() -> String {
    if let named = variable("CARBONTUBE_STATE_DIR") { return absolute(named) }
    // The rule for XDG_CACHE_HOME is to pass over relative paths.
    if let cache = variable("XDG_CACHE_HOME"), cache.hasPrefix("/") { return cache + "/carbontube" }
    if let home = variable("HOME"), home.hasPrefix("/") { return home + "/.cache/carbontube" }
    return "/tmp/carbontube-\(geteuid())"
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
  }

  /// Makes `folder` and what is missing above it; the last one for this user alone.
  /// - Returns: 0, or an error number; EPERM where the folder is there but somebody else's.
  static func make(_ folder: String) -> Int32 {
    var end = folder.startIndex
    while let slash = folder[end...].dropFirst().firstIndex(of: "/") {
      end = slash
      if mkdir(String(folder[..<end]), 0o700) != 0, errno != EEXIST { return errno }
    }
    if mkdir(folder, 0o700) == 0 { return 0 }
    guard errno == EEXIST else { return errno }
    var status = stat()
    guard lstat(folder, &status) == 0 else { return errno }
    return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid() && status.st_mode & 0o022 == 0 ? 0 : EPERM
  }
}
