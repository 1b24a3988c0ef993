import Dispatch
import Glibc
import HostSupervision
import Synchronization

/// The plugin files of a folder.
public enum PluginFolder {
  /// The `*.so` files in `folder` by name; nil where it is no folder that can be read.
  public static func files(in folder: String) -> [String]? {
    guard let listing = opendir(folder) else { return nil }
    defer { closedir(listing) }
    return names(in: listing).filter { $0.hasSuffix(".so") }.sorted()
      .map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
  }
}

extension PluginCatalog {
  /// Descriptions in the order of `files`, as many at a time as the machine has cores. Blocks: not for a thread of
  /// Swift's cooperative pool.
  public func describe(files: [String], cached: CacheUse = .asFound) -> [PluginDescription] {
    let found = Mutex<[Int: PluginDescription]>([:])
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      let description = describe(file: files[index], cached: cached)
      found.withLock { $0[index] = description }
    }
    return found.withLock { found in files.indices.compactMap { found[$0] } }
  }
}
