import PipelineModel
import PluginTestKit
import Testing

/// What a phase does wrong while it runs harms its own job alone.
@Suite(.timeLimit(.minutes(15))) struct HazardousRunTests {
  struct Hazard: CustomTestStringConvertible {
    var deed: String
    var language = HazardPlugin.Language.c
    /// The error's type of the job that is dead of it; nil: it succeeds.
    var error: String?
    var words = ""

    var testDescription: String { "\(deed) in \(language)" }
  }

  static let hazards = [
    Hazard(deed: "trap", error: "SIGILL", words: "trap"),
    Hazard(deed: "abort", error: "SIGABRT"),
    Hazard(deed: "fault", error: "SIGSEGV"),
    Hazard(deed: "misdeed", language: .cxx, error: "SIGABRT", words: "thrown in C++"),
    Hazard(deed: "misdeed", language: .rust, error: "SIGABRT", words: "panicked in Rust"),
    Hazard(deed: "exit", error: "Exit"),
    Hazard(deed: "hang", error: "Timeout"),
    Hazard(deed: "flood"),
    Hazard(deed: "print"),
    Hazard(deed: "leak"),
  ]

  @Test(arguments: hazards) func `Harms its own job alone`(hazard: Hazard) throws {
    let folder = try TemporaryFolder()
    let library = try folder.write(
      HazardPlugin(folder: folder).compiled(build: 1, misdeedIn: hazard.language), to: "libhazard.so")
    let phase = PhaseDefinition(
      jobType: "hazard", retry: RetryPolicy(attempts: 1, crashes: 1, backoffMilliseconds: 1),
      timeoutMilliseconds: hazard.deed == "hang" ? 300 : 0)
    let cluster = try Cluster(phases: [phase], workersPerPhase: 0)
    defer { cluster.stop() }
    try cluster.addWorker("hazard", library: library, openFiles: 64)
    let client = try RawClient(cluster.server)
    let deeds = ["none", hazard.deed, "none", hazard.deed, "none"]
    let ids = try client.enqueue(deeds.map { #"{"do":"\#($0)"}"# }).map { try #require($0.id) }
    _ = try cluster.finished.wait(for: ids.count)
    // The only worker there is runs one more.
    _ = try client.enqueue([#"{"do":"none"}"#])
    let jobs = try cluster.finished.wait(for: ids.count + 1)
    #expect(jobs.last?.state == .succeeded)
    for (id, deed) in zip(ids, deeds) {
      let job = try #require(jobs.first { $0.id == id })
      guard deed != "none", let error = hazard.error else {
        #expect(job.state == .succeeded, "\(deed): \(String(describing: job.error))")
        continue
      }
      #expect(job.state == .dead)
      #expect(job.error?.type == error)
      let told = "\(job.error?.message ?? "") \(job.error?.standardErrorTail ?? "")"
      #expect(told.contains(hazard.words), "\(told)")
    }
    #expect(jobs.count == ids.count + 1)
  }
}
