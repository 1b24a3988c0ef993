internal import Glibc
internal import HostSupervision

/// The files that a project is built from, as they were at one moment. What a build makes is none of them.
struct ProjectSources: Equatable {
  struct Stamp: Equatable {
    var size: Int
    var seconds: Int
    var nanoseconds: Int
    var file: UInt64
  }

  static let maximumFiles = 20_000
  private static let maximumDepth = 32
  private static let builtFolders: Set<String> = ["build", "target", "node_modules"]
  private static let builtEndings = [".o", ".so", ".a", ".new", "~", ".swp", ".tmp"]
  /// Builds write them.
  private static let lockFiles: Set<String> = ["Package.resolved", "Cargo.lock"]

  private(set) var files: [String: Stamp] = [:]
  /// For whoever watches them, the project's own first.
  private(set) var folders: [String] = []

  static func == (one: ProjectSources, other: ProjectSources) -> Bool { one.files == other.files }

  /// - Throws: where it is no folder, or holds more than a project does.
  init(of folder: String) throws(CommandFailure) {
    guard let listing = opendir(folder) else {
      let words = String(cString: strerror(errno))
      throw CommandFailure(.noInput, "\(folder) cannot be watched: \(words); name the folder of a plugin's project")
    }
    closedir(listing)
    try add(folder, below: "", depth: 0, root: folder)
  }

  /// What is in one of them and not, or not the same, in the other; by name.
  func changes(since before: ProjectSources) -> [String] {
    Set(files.keys).union(before.files.keys).filter { files[$0] != before.files[$0] }.sorted()
  }

  static func isSource(_ name: String) -> Bool {
    !name.hasPrefix(".") && !lockFiles.contains(name) && !builtEndings.contains { name.hasSuffix($0) }
      && !(name.hasPrefix("#") && name.hasSuffix("#"))
  }

  private mutating func add(
    _ folder: String, below prefix: String, depth: Int, root: String
  ) throws(CommandFailure) {
    // It may have gone since it was listed.
    guard let listing = opendir(folder) else { return }
    let found = names(in: listing)
    closedir(listing)
    folders.append(folder)
    for name in found where Self.isSource(name) {
      var state = stat()
      let path = "\(folder)/\(name)"
      // Links are not followed: they may lead in circles.
      guard lstat(path, &state) == 0 else { continue }
      switch state.st_mode & S_IFMT {
      case S_IFDIR where !Self.builtFolders.contains(name) && depth < Self.maximumDepth:
        try add(path, below: "\(prefix)\(name)/", depth: depth + 1, root: root)
      case S_IFREG:
        files[prefix + name] = Stamp(
          size: state.st_size, seconds: state.st_mtim.tv_sec, nanoseconds: state.st_mtim.tv_nsec,
          file: UInt64(state.st_ino))
      default: break
      }
      guard files.count + folders.count <= Self.maximumFiles else {
        throw CommandFailure(
          .data, "\(root) has more than \(Self.maximumFiles) files; name the folder of a plugin's project")
      }
    }
  }
}
