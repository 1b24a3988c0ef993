internal import Glibc

/// Where this program lies.
enum ProgramFolder {
  /// `/usr/local` for `/usr/local/bin/carbontube`; nil where the kernel does not tell.
  static func prefix() -> String? {
    guard let program = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(program) }
    let parts = String(cString: program).split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(2).joined(separator: "/")
  }
}
