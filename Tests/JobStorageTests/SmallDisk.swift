import Glibc
import PluginTestKit
import Testing

/// A real file system of its own that lacks something; unmounted when this is gone.
final class SmallDisk {
  let folder: TemporaryFolder
  var path: String { folder.path }

  /// - Parameter options: of tmpfs, for example `size=4m` or `nr_inodes=3`.
  init(_ options: String) throws {
    folder = try TemporaryFolder()
    let code = mount("none", folder.path, "tmpfs", 0, options) == 0 ? 0 : errno
    try #require(code == 0, "mounting needs root: \(String(cString: strerror(code)))")
  }

  func makeReadOnly() throws {
    let code = mount("none", path, "tmpfs", UInt(MS_RDONLY | MS_REMOUNT), nil)
    try #require(code == 0)
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }
}
