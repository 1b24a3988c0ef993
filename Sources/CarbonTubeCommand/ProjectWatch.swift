internal import Glibc
internal import PhaseServing

/// Waits until the sources of a project are others than they were.
struct ProjectWatch {
  let folder: String
  private(set) var sources: ProjectSources
  private var watch: FolderWatch

  /// Where the kernel says nothing, as on a network file system, it is looked so often.
  private static let lookMilliseconds: Int32 = 2_000
  /// Editors and `git checkout` write several files: a build waits for so much silence.
  private static let quietMilliseconds: Int32 = 150
  private static let longestWait = 20

  init(_ folder: String) throws(CommandFailure) {
    self.folder = folder
    sources = try ProjectSources(of: folder)
    watch = FolderWatch(sources.folders, heedsNew: true)
    // A change between the list and the watch would be missed until the next look.
    sources = try ProjectSources(of: folder)
  }

  /// - Returns: the names of what has changed since `sources`, which is what is there now.
  mutating func nextChange() throws(CommandFailure) -> [String] {
    while true {
      let now = try ProjectSources(of: folder)
      let changes = now.changes(since: sources)
      if now.folders != sources.folders { watch = FolderWatch(now.folders, heedsNew: true) }
      sources = now
      if !changes.isEmpty { return changes }
      if wait(Self.lookMilliseconds) { awaitQuiet() }
    }
  }

  private func awaitQuiet() {
    for _ in 0..<Self.longestWait where !wait(Self.quietMilliseconds) { return }
  }

  /// - Returns: whether something happened.
  private func wait(_ milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: watch.fileDescriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, milliseconds) > 0 else { return false }
    watch.clear()
    return true
  }
}
