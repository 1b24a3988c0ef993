import HostProtocol
import PluginCatalog
import Testing

@testable import PhaseServing

@Suite struct ServingPlanTests {
  private func file(_ name: String, _ sha256: String, _ jobTypes: [String]) -> PluginDescription {
    var description = PluginDescription(file: name, state: .ok, sha256: sha256, stagedPath: "/staged/\(sha256)")
    description.phases = jobTypes.map { PhaseDescription(jobType: $0, version: "1", summary: "") }
    return description
  }

  private func bad(_ name: String) -> PluginDescription {
    PluginDescription(file: name, state: .invalid(reason: "is cut short"))
  }

  private func sums(_ plan: ServingPlan) -> [String: String] { plan.builds.mapValues(\.staged.sha256) }

  @Test func servesAllOrWhatIsNamed() {
    let files = [file("a.so", "1", ["x", "y"]), file("b.so", "2", ["z"])]
    #expect(sums(ServingPlan(files, jobTypes: nil, serving: [:])) == ["x": "1", "y": "1", "z": "2"])
    let named = ServingPlan(files, jobTypes: ["z", "w"], serving: [:])
    #expect(sums(named) == ["z": "2"])
    #expect(named.remarks == ["no plugin here has the phase 'w'; it is served as soon as one is put here"])
  }

  @Test func saysThatNothingIsThereYet() {
    let remark = "no plugin with a phase is here yet; one is served as soon as it is put here"
    #expect(ServingPlan([], jobTypes: nil, serving: [:]).remarks == [remark])
    #expect(ServingPlan([file("a.so", "1", ["x"])], jobTypes: nil, serving: [:]).remarks.isEmpty)
  }

  @Test func theFirstFileWinsAndStaysInCharge() {
    let second = file("b.so", "2", ["x"])
    let alone = ServingPlan([second], jobTypes: nil, serving: [:])
    let both = ServingPlan([file("a.so", "1", ["x"]), second], jobTypes: nil, serving: alone.builds)
    #expect(sums(both) == ["x": "2"])
    #expect(both.remarks == ["a.so has the phase 'x' as well; b.so serves it"])
    #expect(sums(ServingPlan([file("a.so", "1", ["x"]), second], jobTypes: nil, serving: [:])) == ["x": "1"])
  }

  @Test func followsAChangeAndARemoval() {
    let before = ServingPlan([file("a.so", "1", ["x", "y"])], jobTypes: nil, serving: [:])
    let changed = ServingPlan([file("a.so", "2", ["x"])], jobTypes: nil, serving: before.builds)
    #expect(sums(changed) == ["x": "2"])
    #expect(ServingPlan([], jobTypes: nil, serving: changed.builds).builds.isEmpty)
  }

  @Test func aBadFileDoesNotEndTheBuildBeforeIt() {
    let before = ServingPlan([file("a.so", "1", ["x"])], jobTypes: nil, serving: [:])
    let broken = ServingPlan([bad("a.so")], jobTypes: nil, serving: before.builds)
    #expect(sums(broken) == ["x": "1"])
    #expect(broken.remarks == ["a.so is cut short; going on with the build before it"])
    #expect(ServingPlan([bad("a.so")], jobTypes: nil, serving: [:]).builds.isEmpty)
  }
}
