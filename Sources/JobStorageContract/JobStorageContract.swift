public import JobStorage

/// What every store must do, for whoever writes one: no test framework is needed, and none is in here.
///
///     let report = JobStorageContract.run { try FileStore(address: "files:\(freshFolder())") }
///     print(report)
///     exit(report.holds ? 0 : 1)
///
/// A suite of tests runs `cases` one by one instead, and hands each `ContractFailure`, with its place, to its framework.
public enum JobStorageContract {
  /// Makes a store that nobody else uses and that holds nothing; not opened yet. Called once for each case, or more often.
  public typealias StoreMaker = @Sendable () throws -> any JobStore

  /// In the order in which they are best made to hold.
  public static let cases: [ContractCase] =
    looking + enqueuing + claims + completions + failures + leases + losses + tokens + delays + turns + cancelling
    + requeuing + deleting + actions + pages + keeping + definitions + metrics + pruning

  /// Runs all cases, one after the other, each on a store of its own.
  public static func run(_ makeStore: @escaping StoreMaker) -> ContractReport {
    ContractReport(results: cases.map { ContractReport.Result(of: $0, failures: $0.run(makeStore)) })
  }
}

/// One thing that a store must do.
public struct ContractCase: Sendable, CustomStringConvertible {
  /// Which part of the contract it belongs to, e.g. `pages`.
  public let part: String
  /// A sentence, unlike any other in the contract.
  public let name: String
  /// Where it is written.
  public let place: ContractPlace
  private let body: @Sendable (Scene) throws -> Void

  init(
    _ part: String, _ name: String, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line,
    _ body: @escaping @Sendable (Scene) throws -> Void
  ) {
    self.part = part
    self.name = name
    place = ContractPlace(fileID: fileID, filePath: filePath, line: line)
    self.body = body
  }

  /// - Returns: in what the store does otherwise; empty where it does as it must.
  public func run(_ makeStore: @escaping JobStorageContract.StoreMaker) -> [ContractFailure] {
    let record = ContractRecord(place)
    do {
      try body(try Scene(makeStore, record))
    } catch let failure as ContractFailure {
      record.add(failure)
    } catch {
      record.add(ContractFailure(message: "an error ended the case: \(error)", place: record.lastPlace))
    }
    return record.failures
  }

  public var description: String { "\(part): \(name)" }
}

/// A line of the contract's source.
public struct ContractPlace: Hashable, Sendable, CustomStringConvertible {
  /// `module/file`, as `#fileID` has it.
  public var fileID: String
  public var filePath: String
  public var line: Int

  public var description: String { "\(fileID):\(line)" }
}

/// One expectation that a store did not meet.
public struct ContractFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was found, and what the contract has instead.
  public var message: String
  /// Of the expectation; where an error ended the case, of the last one before it.
  public var place: ContractPlace

  public var description: String { "\(place): \(message)" }
}

/// What became of each case; as text, a line for each failure and one that sums up.
public struct ContractReport: Sendable, CustomStringConvertible {
  public struct Result: Sendable {
    public let contract: ContractCase
    /// Empty where the store does as it must.
    public let failures: [ContractFailure]

    init(of contract: ContractCase, failures: [ContractFailure]) {
      self.contract = contract
      self.failures = failures
    }
  }

  public let results: [Result]
  /// Whether the store does all that it must.
  public var holds: Bool { results.allSatisfy(\.failures.isEmpty) }

  public var description: String {
    let lines = results.flatMap { result in result.failures.map { "\(result.contract): \($0)" } }
    let met = results.count { $0.failures.isEmpty }
    return (lines + ["\(met) of \(results.count) cases of the contract hold"]).joined(separator: "\n")
  }
}
