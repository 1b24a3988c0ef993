// What is done to jobs, and to phases.

/// A verb that does something to all jobs that match.
public protocol ChangeVerb: Verb where Arguments == JobFilterArguments, Answer == ChangeDocument {}

extension Verbs {
  /// Takes jobs out, whether they wait or run.
  public enum Cancel: ChangeVerb {
    public static let name = "cancel"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }

  /// Tries dead, cancelled and delayed jobs again. With instructions behind the arguments, which then name one job by its
  /// `id` alone, that job goes on with these.
  public enum Requeue: ChangeVerb {
    public static let name = "requeue"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
    public static let takesInstructions = true
  }

  /// Deletes jobs that do not run.
  public enum Delete: ChangeVerb {
    public static let name = "delete"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }

  /// A phase, or the whole pipeline.
  public struct PhaseArguments: VerbArguments {
    /// A job type; nil: the whole pipeline.
    public var phase: String?

    public init(phase: String? = nil) { self.phase = phase }

    private enum CodingKeys: String, CodingKey, CaseIterable { case phase }
    public static let members = CodingKeys.allCases.map(\.rawValue)
  }

  /// Gives out no more jobs.
  public enum Pause: Verb {
    public typealias Arguments = PhaseArguments
    public typealias Answer = PauseDocument
    public static let name = "pause"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }

  /// Undoes `Pause`.
  public enum Resume: Verb {
    public typealias Arguments = PhaseArguments
    public typealias Answer = PauseDocument
    public static let name = "resume"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }
}
