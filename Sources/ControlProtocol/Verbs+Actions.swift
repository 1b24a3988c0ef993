// What goes on in the background.

extension Verbs {
  /// One action by its id.
  public struct ActionArguments: VerbArguments {
    public var id: String

    public init(id: String) { self.id = id }

    private enum CodingKeys: String, CodingKey, CaseIterable { case id }
    public static let members = CodingKeys.allCases.map(\.rawValue)

    public init(from decoder: any Decoder) throws {
      id = try decoder.container(keyedBy: CodingKeys.self).textIfNamed(.id)
    }
  }

  /// How far an action is.
  public enum Action: Verb {
    public typealias Arguments = ActionArguments
    public typealias Answer = ActionDocument
    public static let name = "action"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// The last actions.
  public enum Actions: Verb {
    public typealias Arguments = NoArguments
    public typealias Answer = ActionsDocument
    public static let name = "actions"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// Stops an action; answered when its last step is done. What it has changed stays changed.
  public enum StopAction: Verb {
    public typealias Arguments = ActionArguments
    public typealias Answer = ActionDocument
    public static let name = "stop-action"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }
}
