import Glibc

/// Where `carbontube-plugin-host`, the program that loads plugins, is looked for.
enum HostProgramSearch {
  static let name = "carbontube-plugin-host"

  /// CARBONTUBE_PLUGIN_HOST where it is set. Otherwise the first that may be run of: beside the running program; in PATH;
  /// beside the `carbontube` that PATH has. Where none may, the path beside the running program, so that the error of its
  /// start names a place.
  static func path(
    environment: (String) -> String? = { getenv($0).map { String(cString: $0) } },
    program: String? = realPath("/proc/self/exe"), mayRun: (String) -> Bool = { access($0, X_OK) == 0 }
  ) -> String {
    if let named = environment("CARBONTUBE_PLUGIN_HOST"), !named.isEmpty { return named }
    let beside = program.map { folder(of: $0) + "/" + name } ?? name
    // A part of PATH that is empty or relative means whichever folder one happens to be in.
    let folders = (environment("PATH") ?? "").split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
    let commands = folders.lazy.map { $0 + "/carbontube" }.filter(mayRun).compactMap { realPath($0) }
    let candidates = [beside] + folders.map { "\($0)/\(name)" } + commands.map { folder(of: $0) + "/" + name }
    return candidates.first(where: mayRun) ?? beside
  }

  /// The program that writes the trace of a crash where it was installed with Swift's runtime beside the host. Nil: the
  /// runtime looks for it where a toolchain has it.
  static func tracer(beside host: String, mayRun: (String) -> Bool = { access($0, X_OK) == 0 }) -> String? {
    let path = folder(of: host) + "/swift-backtrace"
    return mayRun(path) && !path.contains(",") ? path : nil
  }

  private static func folder(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// With links followed; nil where there is nothing.
  static func realPath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }
}
