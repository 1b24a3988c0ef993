import CHostProcess
import Glibc

/// What was found out about files before, bad ones included, by file and by content. It may be deleted at any time.
struct ScanCache {
  /// A loaded machine can make a good file late, so a timeout is believed for ten minutes only.
  private static let timeoutIsBelievedForMilliseconds: Int64 = 600_000

  private struct Entry: Codable {
    /// What must be the same for the entry to hold.
    var key: String
    var madeAtMilliseconds: Int64
    var description: PluginDescription
  }

  private let folder: String
  private let host: String

  /// - Parameter hostExecutable: another build of it may judge otherwise, so its identity is part of every key.
  init(stateFolder: String, hostExecutable: String) {
    folder = stateFolder + "/scans"
    var status = stat()
    let identity = stat(hostExecutable, &status) == 0 ? FileIdentity(status).text : "none"
    host = "\(host_swift_version()) \(hostExecutable) \(identity)"
  }

  func description(ofFileAt path: String, _ identity: FileIdentity) -> PluginDescription? {
    entry(pathName(path), key: key(path, identity))
  }

  func description(ofContent sha256: String) -> PluginDescription? { entry("content-\(sha256)", key: host) }

  func keep(_ description: PluginDescription, ofFileAt path: String, _ identity: FileIdentity) {
    guard identity.isSettled(nowNanoseconds: nanosecondsNow()) else { return }
    put(description, as: pathName(path), key: key(path, identity))
  }

  func keep(_ description: PluginDescription, ofContent sha256: String) {
    put(description, as: "content-\(sha256)", key: host)
  }

  private func key(_ path: String, _ identity: FileIdentity) -> String { "\(path) \(identity.text) \(host)" }

  /// Named by the path alone, so that a file that changes often has one entry.
  private func pathName(_ path: String) -> String {
    var digest = SHA256()
    digest.update(Array(path.utf8))
    return "path-\(digest.finish())"
  }

  private func entry(_ name: String, key: String) -> PluginDescription? {
    guard let entry = StateFile.read(Entry.self, at: "\(folder)/\(name).json"), entry.key == key else { return nil }
    if case .timeout = entry.description.state {
      let age = nanosecondsNow() / 1_000_000 &- entry.madeAtMilliseconds
      guard (0..<Self.timeoutIsBelievedForMilliseconds).contains(age) else { return nil }
    }
    return entry.description
  }

  private func put(_ description: PluginDescription, as name: String, key: String) {
    let entry = Entry(key: key, madeAtMilliseconds: nanosecondsNow() / 1_000_000, description: description)
    // Without a cache the next look takes longer and finds the same.
    _ = StateFile.write(entry, to: "\(folder)/\(name).json")
  }
}
