import Testing

@testable import PhaseHosting

@Suite struct HostArgumentsTests {
  @Test func readsRolesAndLimits() {
    let arguments = HostArguments([
      "--phase", "/x.so", "a", "--memory", "5", "--cpu-seconds", "2", "--work-directory", "/w", "--core-files", "1",
    ])
    #expect(arguments?.role == .phase(jobType: "a"))
    #expect(arguments?.memoryBytes == 5)
    #expect(arguments?.cpuSeconds == 2)
    #expect(arguments?.coreFiles == 1)
    #expect(arguments?.openFiles == nil)
    #expect(arguments?.workDirectory == "/w")
    #expect(HostArguments(["--scan", "/x.so"])?.role == .scan)
    #expect(HostArguments(["--pipeline", "/x.so", "p"])?.role == .pipeline(name: "p"))
  }

  @Test(arguments: [
    [], ["--scan"], ["--phase", "/x.so"], ["--scan", "/x.so", "--memory"], ["--scan", "/x.so", "--memory", "lots"],
    ["--scan", "/x.so", "--colour", "red"], ["/x.so"],
  ])
  func refusesAnythingElse(_ words: [String]) {
    #expect(HostArguments(words) == nil)
  }
}
