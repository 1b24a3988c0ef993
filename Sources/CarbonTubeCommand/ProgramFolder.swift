internal import Glibc

/// Where this program lies.
enum ProgramFolder {
  /// The prefix that it is installed or built below; nil where the kernel does not tell.
  static func prefix() -> String? {
    guard let program = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(program) }
    return prefix(ofProgram: String(cString: program))
  }

  /// `/usr/local` for `/usr/local/bin/carbontube` and for `/usr/local/lib/carbontube/builds/BUILD/carbontube`, where
  /// scripts/switch-build puts it.
  /// - Parameter path: absolute, links followed.
  static func prefix(ofProgram path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let isNamedBuild = parts.count > 5 && parts[parts.count - 3] == "builds" && parts[parts.count - 4] == "carbontube"
    return parts.dropLast(isNamedBuild ? 5 : 2).joined(separator: "/")
  }
}
