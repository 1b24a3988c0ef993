import PipelineModel
import Testing

@Suite struct PlanTests {
  private func plan(_ jobTypes: String...) -> Plan { Plan(line: jobTypes.map { PhaseDefinition(jobType: $0) }) }

  @Test func aListIsALineFromItsFirstToItsLast() {
    let plan = plan("cut", "glue", "cut")
    #expect(plan.start == 0)
    #expect(plan.stations.indices.map(plan.route(after:)) == [.next(1), .next(2), .end])
  }

  @Test func oneStationIsTheEndAsWell() {
    #expect(plan("cut").route(after: 0) == .end)
  }

  @Test(arguments: [-1, 2, .max, .min])
  func aStationThatIsNotThereLeadsNowhere(_ station: Int) {
    #expect(plan("cut", "glue").route(after: station) == .end)
  }

  @Test func aDefinitionHasThePhasesOfItsPlan() throws {
    let phases = [PhaseDefinition(jobType: "cut"), PhaseDefinition(jobType: "glue")]
    let definition = try PipelineDefinition(name: "desk", phases: phases)
    #expect(definition.phases == phases && definition.plan == Plan(line: phases))
  }
}
