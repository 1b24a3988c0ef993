import Testing

@testable import HostSupervision

@Suite struct HostProgramSearchTests {
  private func found(
    _ variables: [String: String], program: String? = "/opt/app/bin/app", programs: Set<String>
  ) -> String {
    HostProgramSearch.path(environment: { variables[$0] }, program: program, mayRun: { programs.contains($0) })
  }

  @Test func `What is named wins, even where nothing is`() {
    let beside = "/opt/app/bin/carbontube-plugin-host"
    #expect(found(["CARBONTUBE_PLUGIN_HOST": "/my/host"], programs: [beside]) == "/my/host")
    #expect(found(["CARBONTUBE_PLUGIN_HOST": ""], programs: [beside]) == beside)
  }

  @Test func `Beside the running program, else in PATH`() {
    let beside = "/opt/app/bin/carbontube-plugin-host"
    let path = ["PATH": "/usr/bin::relative:/usr/local/bin"]
    #expect(found(path, programs: [beside, "/usr/bin/carbontube-plugin-host"]) == beside)
    #expect(found(path, programs: ["/usr/local/bin/carbontube-plugin-host"]) == "/usr/local/bin/carbontube-plugin-host")
    #expect(found(path, programs: ["relative/carbontube-plugin-host", "/carbontube-plugin-host"]) == beside)
  }

  @Test func `The writer of traces is the one beside the host, where there is one`() {
    #expect(HostProgramSearch.tracer(beside: "/lib/x/host", mayRun: { $0 == "/lib/x/swift-backtrace" }) != nil)
    #expect(HostProgramSearch.tracer(beside: "/lib/x/host", mayRun: { _ in false }) == nil)
    // It would end the value that it stands in.
    #expect(HostProgramSearch.tracer(beside: "/lib/a,b/host", mayRun: { _ in true }) == nil)
  }

  @Test func `Where there is none the error can name a place`() {
    #expect(found([:], programs: []) == "/opt/app/bin/carbontube-plugin-host")
    #expect(found(["PATH": "/usr/bin"], program: nil, programs: []) == "carbontube-plugin-host")
  }
}
