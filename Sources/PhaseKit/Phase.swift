/// A unit of work with a `job_type`: reads the instructions of a job, does something, and may add to them.
///
///     struct HashFile: Phase {
///       static let jobType = "calculate-hash"
///       struct Input: Codable { var file_path: String }
///       struct Output: Codable { var hash: String }
///       func execute(_ input: Input, _ job: JobContext) async throws -> Output? { … }
///     }
///
/// One instance serves the jobs of one child process, one after the other; what it keeps between them is lost when that
/// child is replaced.
///
/// Every job may run more than once: a worker can die after the work and before its result is recorded. Use
/// `JobContext.id` to make a repetition harmless.
public protocol Phase: AnyPhase {
  /// The part of the instructions that this phase reads; other members are ignored. Instructions that do not fit are
  /// refused as bad input and not tried again.
  associatedtype Input: Decodable & Sendable
  /// A JSON object; its members are merged into the instructions.
  associatedtype Output: Encodable & Sendable

  /// Runs one job, on a thread that it may block as long as it likes.
  /// - Returns: nil leaves the instructions as they are.
  /// - Throws: `PhaseError` to say whether and when to try again; `CancellationError` once the job is cancelled; any
  ///   other error is a failure, tried again by the policy of the phase.
  func execute(_ input: Input, _ job: JobContext) async throws -> Output?
}

/// A phase that takes the instructions as they are, where their members are not known beforehand.
public protocol UntypedPhase: AnyPhase {
  /// Like `Phase.execute`.
  func execute(_ instructions: Instructions, _ job: JobContext) async throws -> Instructions?
}

/// What typed and untyped phases have in common. Conform to `Phase` or `UntypedPhase`.
public protocol AnyPhase: Sendable {
  /// 1 to 64 lower-case letters, digits, `-`, `_` or `.`; unique in its plugin.
  static var jobType: String { get }
  static var version: String { get }
  /// One line for people.
  static var summary: String { get }
  static var traits: PhaseTraits { get }
  /// JSON Schema text of what it reads, or nil.
  static var inputSchema: String? { get }
  /// JSON Schema text of its result, or nil.
  static var outputSchema: String? { get }
  /// JSON Schema text of the settings that a worker may be given for it, or nil. Settings are checked against it before a
  /// child is started.
  static var settingsSchema: String? { get }

  /// Made once per child process, before the first job.
  init()

  /// The form that all phases are called by. Not for authors: `Phase` and `UntypedPhase` give it.
  func executeEncoded(_ instructions: [UInt8], _ job: JobContext) async throws -> [UInt8]?
}

/// What a phase promises about itself.
public struct PhaseTraits: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// The same instructions give the same result.
  public static let deterministic = PhaseTraits(rawValue: 1 << 0)
  /// Running a job twice does no harm.
  public static let idempotent = PhaseTraits(rawValue: 1 << 1)
}

extension AnyPhase {
  public static var version: String { "1.0.0" }
  public static var summary: String { "" }
  public static var traits: PhaseTraits { [] }
  public static var inputSchema: String? { nil }
  public static var outputSchema: String? { nil }
  public static var settingsSchema: String? { nil }
}

extension Phase {
  public func executeEncoded(_ instructions: [UInt8], _ job: JobContext) async throws -> [UInt8]? {
    let input = try decodeInstructions(Input.self, from: instructions)
    guard let output = try await execute(input, job) else { return nil }
    return try encodeResult(output)
  }
}

extension UntypedPhase {
  public func executeEncoded(_ instructions: [UInt8], _ job: JobContext) async throws -> [UInt8]? {
    try await execute(Instructions(parsing: instructions), job)?.encoded()
  }
}
