import Glibc
import HostSupervision

/// Keeps a staged copy from being pruned for as long as it lives: a worker may start children from it for months.
///
/// Any thread. A process that ends in whatever way gives its leases back.
public final class StagedPluginLease: Sendable {
  private let path: String
  private let home: Int32
  /// Of the copy when the lease began.
  private let identity: FileIdentity?

  /// - Parameter path: `StagedPlugin.path`.
  public init(path: String) {
    self.path = path
    identity = identityOfFile(path)
    home = openHome(path)
    if home >= 0 { _ = FileLock.take(home, LOCK_SH, waitingUpTo: 100) }
  }

  deinit { if home >= 0 { close(home) } }

  /// Whether the copy is there, and nobody has touched it since the lease began. One system call.
  public var isIntact: Bool { identity != nil && identityOfFile(path) == identity }
}

/// What lies in a state folder longer than anybody has asked for it.
struct StagedCopies {
  /// A plugin that nobody ran for a month is copied again in milliseconds.
  static let keptForSeconds = 30 * 86_400
  /// A copy that is being made takes less by far; what is older was left by a process that was killed.
  static let draftsAreKeptForSeconds = 86_400

  let stateFolder: String

  /// Says that a copy is asked for.
  func touch(_ path: String) {
    let home = openHome(path)
    guard home >= 0 else { return }
    // Whoever prunes holds the lock while it looks and removes.
    _ = FileLock.take(home, LOCK_SH, waitingUpTo: 100)
    futimens(home, nil)
    close(home)
  }

  /// Removes what is older, but for copies that are leased.
  func prune(nowSeconds: Int) {
    prunePlugins(nowSeconds: nowSeconds)
    let scans = stateFolder + "/scans"
    for name in entries(of: scans) where age("\(scans)/\(name)", nowSeconds) > Self.keptForSeconds {
      unlink("\(scans)/\(name)")
    }
  }

  private func prunePlugins(nowSeconds: Int) {
    let folder = stateFolder + "/plugins"
    for name in entries(of: folder) {
      let path = "\(folder)/\(name)"
      if name.hasPrefix("draft-") {
        if age(path, nowSeconds) > Self.draftsAreKeptForSeconds { unlink(path) }
      } else if age(path, nowSeconds) > Self.keptForSeconds {
        removeUnlessLeased(path, nowSeconds)
      }
    }
  }

  private func removeUnlessLeased(_ home: String, _ nowSeconds: Int) {
    let descriptor = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, age(home, nowSeconds) > Self.keptForSeconds else { return }
    for name in entries(of: home) { unlink("\(home)/\(name)") }
    rmdir(home)
  }

  /// In seconds; 0 for what is not there.
  private func age(_ path: String, _ nowSeconds: Int) -> Int {
    var status = stat()
    return lstat(path, &status) == 0 ? nowSeconds &- status.st_mtim.tv_sec : 0
  }

  private func entries(of folder: String) -> [String] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    return names(in: listing).filter { $0 != "." && $0 != ".." }
  }
}

private func openHome(_ path: String) -> Int32 {
  let home = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
  return open(String(home), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
}

private func identityOfFile(_ path: String) -> FileIdentity? {
  var status = stat()
  return lstat(path, &status) == 0 ? FileIdentity(status) : nil
}
