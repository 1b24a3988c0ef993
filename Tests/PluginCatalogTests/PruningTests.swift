import Glibc
import PluginCatalog
import PluginTestKit
import Testing

/// Copies that nobody asks for do not stay for ever; those that somebody may still load do.
@Suite struct PruningTests {
  private let folder: TemporaryFolder
  private let catalog: PluginCatalog
  private let state: String

  init() throws {
    folder = try TemporaryFolder()
    state = folder.path + "/state"
    catalog = PluginCatalog(stateFolder: state)
  }

  private func stage(_ name: String) throws -> StagedPlugin {
    let content = try contents(of: "\(buildFolder)/libFixturePlugin.so") + Array(name.utf8)
    return try catalog.stage(file: folder.write(content, to: "lib\(name).so"))
  }

  private func home(_ plugin: StagedPlugin) -> String { "\(state)/plugins/\(plugin.sha256)" }

  private func makeOld(_ path: String) throws {
    let monthAgo = timeval(tv_sec: time(nil) - 31 * 86_400, tv_usec: 0)
    guard utimes(path, [monthAgo, monthAgo]) == 0 else { throw Unexpected("no \(path)") }
  }

  private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  @Test func `Old copies go when a new one is made`() throws {
    let forgotten = try stage("Forgotten")
    let leased = try stage("Leased")
    let asked = try stage("Asked")
    let recent = try stage("Recent")
    let draft = try folder.write([1], to: "state/plugins/draft-abcdef")
    mkdir(state + "/scans", 0o700)
    let scan = try folder.write([1], to: "state/scans/content-0.json")
    for path in [home(forgotten), home(leased), home(asked), draft, scan] { try makeOld(path) }
    let lease = StagedPluginLease(path: leased.path)
    #expect(try stage("Asked") == asked)
    let new = try stage("New")
    withExtendedLifetime(lease) {}
    #expect(!exists(home(forgotten)) && !exists(draft) && !exists(scan))
    for plugin in [leased, asked, recent, new] { #expect(exists(plugin.path)) }
    // What was removed is made anew when it is asked for.
    #expect(try stage("Forgotten") == forgotten)
    #expect(exists(forgotten.path))
  }

  @Test func `A lease ends with its object`() throws {
    let leased = try stage("Leased")
    _ = StagedPluginLease(path: leased.path)
    try makeOld(home(leased))
    _ = try stage("New")
    #expect(!exists(leased.path))
  }
}
