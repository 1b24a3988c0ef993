import JobStorage
import JobStorageContract
import Testing

/// What holds for all stores is in Sources/JobStorageContract, where stores of other packages find it as well.
@Suite("The contract of stores")
struct ContractTests {
  @Test(arguments: StoreUnderTest.all, JobStorageContract.cases)
  func `A store does what it must`(_ kind: StoreUnderTest, _ contract: ContractCase) {
    for failure in contract.run(kind.make) { record(failure) }
  }

  private func record(_ failure: ContractFailure) {
    let place = failure.place
    Issue.record(
      "\(failure.message)",
      sourceLocation: SourceLocation(fileID: place.fileID, filePath: place.filePath, line: place.line, column: 1))
  }

  @Test func `Each case has a name of its own`() {
    let names = JobStorageContract.cases.map(\.description)
    #expect(!names.isEmpty && Set(names).count == names.count)
  }

  @Test func `A store that does otherwise is told of with what it did and where that is written`() throws {
    let shared = SharedStore()
    let report = JobStorageContract.run { shared.store }
    #expect(!report.holds)
    let result = try #require(
      report.results.first { "\($0.contract)" == "enqueuing: the same id twice in one turn is one job" })
    let failure = try #require(result.failures.first)
    #expect(failure.message.hasPrefix("found [") && failure.message.contains("], wanted ["), "\(failure)")
    #expect(failure.place.fileID == "JobStorageContract/Enqueuing.swift")
    #expect("\(report)".contains("enqueuing: the same id twice in one turn is one job: \(failure)\n"))
    let met = report.results.count { $0.failures.isEmpty }
    #expect(met > 0 && "\(report)".hasSuffix("\n\(met) of \(report.results.count) cases of the contract hold"))
  }

  @Test func `A store that cannot be made fails every case with its reason`() {
    let report = JobStorageContract.run {
      throw StoreError(.misconfigured, operation: "open", message: "no shelf is left")
    }
    for result in report.results {
      #expect(result.failures.map(\.message) == ["an error ended the case: no shelf is left"])
      #expect(result.failures.map(\.place) == [result.contract.place])
    }
  }
}

/// One that breaks the first rule: each case gets what the one before has left.
private final class SharedStore: @unchecked Sendable {
  let store = MemoryJobStore()
}
