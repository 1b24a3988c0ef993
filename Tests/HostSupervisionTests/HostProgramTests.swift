import PluginTestKit
import Testing

@Suite struct HostProgramTests {
  /// A plugin's process cannot reach jobs or peers by code that happens to be linked beside it.
  @Test(arguments: ["libzmq", "libhiredis", "libsqlite3", "libFoundation", "libsimdjson", "libre2"])
  func linksNeitherSocketsNorStores(_ library: String) throws {
    let program = try contents(of: buildFolder + "/carbontube-plugin-host")
    #expect(program.count > 10_000)
    #expect(!program.contains(Array(library.utf8)))
  }
}
