import CHostProcess
import Dispatch
import Glibc

/// A child's own folder for scratch files, below the one that the worker was given. It is held by a lock on the folder
/// itself for as long as this process has it, so that whoever finds one without a lock knows that it was left by a worker
/// that was killed.
final class ChildFolder {
  private static let prefix = "carbontube-"

  let path: String
  private let descriptor: Int32

  /// - Parameter parent: absolute, since a relative path would mean something else in the child; is there.
  init(below parent: String) throws(HostSpawnError) {
    guard parent.hasPrefix("/") else {
      throw HostSpawnError(
        operation: "cannot make a work folder in \(parent), which is no absolute path", errno: EINVAL)
    }
    while true {
      var template = Array("\(parent)/\(Self.prefix)XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else {
        throw HostSpawnError(operation: "cannot make a work folder in \(parent)", errno: errno)
      }
      let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      // Another worker may have taken it for an abandoned one before it was locked.
      guard let descriptor = Self.locked(path) else { continue }
      self.path = path
      self.descriptor = descriptor
      return
    }
  }

  /// Nil where somebody holds it, or it is not there any more.
  private static func locked(_ path: String) -> Int32? {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var found = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &found) == 0, found.st_nlink > 0,
      found.st_uid == geteuid()
    else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  /// The child has ended. Its files may be many, and whoever runs an event loop does not wait for that.
  deinit {
    let (path, descriptor) = (path, descriptor)
    Self.removals.async { Self.remove(path, descriptor) }
  }

  private static let removals = DispatchQueue(label: "carbontube.work-folders")

  /// Returns when all that was to be removed until now has been.
  static func waitForRemovals() { removals.sync {} }

  private static func remove(_ path: String, _ descriptor: Int32) {
    _ = host_empty_folder(descriptor)
    rmdir(path)
    close(descriptor)
  }

  /// Removes the folders of workers that were killed.
  static func removeAbandoned(below parent: String) {
    removals.async {
      guard let listing = opendir(parent) else { return }
      defer { closedir(listing) }
      for name in names(in: listing) where name.hasPrefix(prefix) {
        let path = "\(parent)/\(name)"
        if let descriptor = locked(path) { remove(path, descriptor) }
      }
    }
  }
}
