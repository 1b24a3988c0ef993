internal import CarbonTube
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Finds plugin files and looks at many of them at once.
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

  /// The `*.so` files in `folder` by name; nil where it is no folder that can be read.
  static func files(in folder: String) -> [String]? {
    guard let listing = opendir(folder) else { return nil }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".so") { names.append(name) }
    }
    return names.sorted().map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
  }

  /// In the order of `files`; a child each, as many at a time as the machine has cores.
  static func describe(_ files: [String]) -> [PluginDescription] {
    let found = Mutex<[Int: PluginDescription]>([:])
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      let description = PluginCatalog().describe(file: files[index])
      found.withLock { $0[index] = description }
    }
    return found.withLock { found in files.indices.compactMap { found[$0] } }
  }
}
