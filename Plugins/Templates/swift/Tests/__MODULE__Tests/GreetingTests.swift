import PhaseKit
import Testing

@testable import __MODULE__

/// The phase by itself, in the process of the test: with a debugger, without a child. What a crash does is tried in a child,
/// by `carbontube plugins test`.
struct GreetingTests {
  @Test func greetsByItsSetting() async throws {
    let recorder = JobRecorder()
    let job = JobContext(testing: "job-1", recorder: recorder)
    let greeting = Greeting(settings: .init(greeting: "Moin"))
    let output = try await greeting.execute(.init(name: "Ada"), job)
    #expect(output?.greeting == "Moin, Ada")
    #expect(recorder.lines.map(\.message) == ["greeting Ada"])
  }

  @Test func takesNoEmptyName() async {
    await #expect(throws: PhaseError.self) {
      try await Greeting(settings: .init(greeting: nil)).execute(.init(name: ""), JobContext(testing: "job-1"))
    }
  }

  @Test func runsInItsPipeline() async throws {
    let end = try await PipelineTrial(Greetings.self, phases: [Greeting.self]).run(#"{"name": "Ada"}"#)
    #expect(end.state == .succeeded && end.instructions["greeting"] != nil)
  }
}
