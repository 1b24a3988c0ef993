internal import Glibc

/// Where plugin files are looked for.
enum PluginSearch {
  /// CARBONTUBE_PLUGIN_PATH, ./plugins, and where an installed copy keeps its plugins.
  static func defaultFolders() -> [String] {
    var folders =
      getenv("CARBONTUBE_PLUGIN_PATH").map { String(cString: $0) }?
      .split(separator: ":").map(String.init) ?? []
    folders.append("plugins")
    if let program = realpath("/proc/self/exe", nil) {
      defer { free(program) }
      let bin = String(cString: program).split(separator: "/", omittingEmptySubsequences: false).dropLast()
      folders.append((bin.dropLast() + ["lib", "carbontube", "plugins"]).joined(separator: "/"))
    }
    var seen: Set<String> = []
    return folders.filter { seen.insert($0).inserted }
  }
}
