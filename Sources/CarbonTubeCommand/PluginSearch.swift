internal import CarbonTube
internal import FoundationEssentials
internal import Glibc

/// Where plugin files are looked for.
enum PluginSearch {
  /// CARBONTUBE_PLUGIN_PATH, ./plugins, and where an installed copy keeps its plugins.
  static func defaultFolders() -> [String] {
    var folders =
      getenv("CARBONTUBE_PLUGIN_PATH").map { String(cString: $0) }?
      .split(separator: ":").map(String.init) ?? []
    folders.append("plugins")
    if let prefix = ProgramFolder.prefix() { folders.append("\(prefix)/lib/carbontube/plugins") }
    var seen: Set<String> = []
    return folders.filter { seen.insert($0).inserted }
  }

  static func requireFolders(_ folders: [String]) throws(CommandFailure) {
    for folder in folders where PluginFolder.files(in: folder) == nil {
      throw CommandFailure(.noInput, "\(folder) is not a folder that can be read; name one that holds .so files")
    }
  }

  /// The file that a command line means: a path as it is; a bare name such as `libHashFile.so` or `HashFile`, which is no
  /// file here, in the first of those folders that has it.
  static func file(named name: String) -> String {
    guard !name.contains("/"), access(name, F_OK) != 0 else { return name }
    let candidates = defaultFolders().flatMap { ["\($0)/\(name)", "\($0)/lib\(name).so"] }
    return candidates.first { access($0, F_OK) == 0 } ?? name
  }

  /// Plugin files, and folders on the way to some, whose paths begin with what somebody has typed.
  static func files(beginning prefix: String) -> [String] {
    let end = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
    let place = String(prefix[..<end])
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: place.isEmpty ? "." : place)) ?? []
    return entries.filter { $0.hasPrefix(prefix[end...]) && !$0.hasPrefix(".") }.sorted().compactMap { name in
      var isFolder: Bool = false
      guard FileManager.default.fileExists(atPath: place + name, isDirectory: &isFolder) else { return nil }
      return isFolder ? place + name + "/" : name.hasSuffix(".so") ? place + name : nil
    }
  }
}
