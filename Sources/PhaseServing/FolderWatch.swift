internal import Glibc

/// Wakes its owner when something in the folders has changed. Only a hint: what is there is read anew each time, and a
/// folder on a network file system may never say anything.
package final class FolderWatch {
  /// Poll for input, then `clear()`.
  package let fileDescriptor: Int32
  private let events: UInt32
  private let folders: [String]

  /// Whole files only: a copy is looked at when its writer has closed it.
  private static let whole = UInt32(
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR)

  /// - Parameter heedsNew: also what has just been made, as folders are, and may not be whole yet.
  package init(_ folders: [String], heedsNew: Bool = false) {
    self.folders = folders
    events = Self.whole | (heedsNew ? UInt32(IN_CREATE) : 0)
    // IN_NONBLOCK and IN_CLOEXEC are these flags of open(2) by definition (inotify_init(2)).
    fileDescriptor = inotify_init1(Int32(O_NONBLOCK | O_CLOEXEC))
    add()
  }

  deinit { if fileDescriptor >= 0 { close(fileDescriptor) } }

  /// Also follows folders that were removed and made again: adding one that is watched changes nothing.
  package func clear() {
    var events = [UInt8](repeating: 0, count: 4_096)
    while read(fileDescriptor, &events, events.count) > 0 {}
    add()
  }

  private func add() {
    for folder in folders { _ = inotify_add_watch(fileDescriptor, folder, events) }
  }
}
