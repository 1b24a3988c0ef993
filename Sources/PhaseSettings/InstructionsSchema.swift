/// A JSON Schema that a phase declares for the instructions it reads, in the same subset as settings.
///
/// Instructions come from outside: each check reads at most `mostSteps` values and takes as many steps, whatever they and
/// the schema say.
public struct InstructionsSchema: Sendable {
  /// Some seconds of work at the very most; a million numbers in an array fit.
  public static let mostSteps = 2_000_000
  /// A clause of a message that is carried to a client.
  private static let longestProblem = 400

  /// Whose instructions these are.
  public let jobType: String
  private let schema: SettingsSchema

  /// - Throws: `SettingsError` where it is no JSON, no schema, or needs what is not known here.
  public init(parsing text: String, of jobType: String) throws(SettingsError) {
    self.jobType = jobType
    schema = try SettingsSchema(parsing: text)
  }

  public enum Verdict: Hashable, Sendable {
    case fits
    /// One line that names places, never values.
    case unfit(String)
    /// It would take more steps than were allowed.
    case undecided
  }

  /// - Parameters:
  ///   - json: one JSON object, checked before.
  ///   - steps: how much work this may be.
  public func verdict(on json: [UInt8], steps: Int = mostSteps) -> Verdict {
    var parsing = InstructionsParsing(json, mostValues: steps)
    let value: SettingsValue
    switch parsing.object() {
    case .value(let parsed): value = parsed
    case .tooMuch: return steps < Self.mostSteps ? .undecided : .unfit(tooMuch)
    case .tooDeep:
      return .unfit(sentence("they nest deeper than \(SettingsValue.maximumDepth) levels"))
    }
    var checking = Checking(root: schema.root, patterns: schema.patterns, mostSteps: steps)
    let problems = checking.problems(value, schema.root, "", 0)
    if checking.isExhausted { return steps < Self.mostSteps ? .undecided : .unfit(tooMuch) }
    guard let first = problems.first else { return .fits }
    let more = problems.count - 1
    let rest = more == 0 ? "" : more < 20 ? "; and \(more) more" : "; and many more"
    return .unfit(sentence(Self.short(first) + rest))
  }

  private var tooMuch: String { sentence("they have too many values to be checked") }

  private func sentence(_ problem: String) -> String {
    "instructions must be what phase '\(jobType)' takes: \(problem)"
  }

  /// Names of members are the sender's, and as long as it likes.
  private static func short(_ problem: String) -> String {
    guard problem.utf8.count > longestProblem else { return problem }
    var kept = ""
    for scalar in problem.unicodeScalars {
      guard kept.utf8.count + 4 <= longestProblem else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + "…"
  }
}
