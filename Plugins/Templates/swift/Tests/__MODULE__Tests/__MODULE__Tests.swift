import PhaseKit
import Testing

@testable import __MODULE__

@Suite struct __MODULE__Tests {
  /// The phase by itself: a value, and a job that stands for the host's.
  @Test func greets() async throws {
    let phase = Greeting(settings: Greeting.Settings(greeting: "Moin"))
    let output = try await phase.execute(Greeting.Input(name: "Ada"), JobContext(testing: "job-1"))
    #expect(output?.greeting == "Moin, Ada")
  }

  @Test func refusesAnEmptyName() async {
    let phase = Greeting(settings: Greeting.Settings(greeting: nil))
    await #expect(throws: PhaseError.self) {
      try await phase.execute(Greeting.Input(name: ""), JobContext(testing: "job-1"))
    }
  }

  /// The pipeline, with a coordinator's rules, in this process.
  @Test func runsThePipeline() async throws {
    let trial = try PipelineTrial(Greetings.self, phases: [Greeting.self])
    let end = try await trial.run(#"{"name": "Grace"}"#)
    #expect(end.state == .succeeded)
    #expect(end.instructions["greeting"]?.string == "Hello, Grace")
  }
}
