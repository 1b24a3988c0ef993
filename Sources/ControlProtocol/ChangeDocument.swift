/// What became of jobs that were to be changed: the answer to `Verbs.Cancel`, `Verbs.Requeue` and `Verbs.Delete`.
public enum ChangeDocument: Hashable, Codable, Sendable {
  /// What was done to jobs; as the answer's member has it.
  public enum Change: String, Hashable, Sendable, CaseIterable {
    case cancelled, requeued, deleted
  }

  /// Of one job that was to be cancelled: the state it was in; `JobDocument.state` has the words.
  case was(String)
  /// So many jobs were changed, and that is all.
  case ended(Change, Int)
  /// It takes longer, and goes on in the background.
  case action(ActionDocument)

  private enum CodingKeys: String, CodingKey {
    case action, was, cancelled, requeued, deleted

    init(_ change: Change) {
      switch change {
      case .cancelled: self = .cancelled
      case .requeued: self = .requeued
      case .deleted: self = .deleted
      }
    }
  }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    if members.contains(.action) {
      self = .action(try ActionDocument(from: decoder))
    } else if let change = Change.allCases.first(where: { members.contains(CodingKeys($0)) }) {
      self = .ended(change, try members.decode(Int.self, forKey: CodingKeys(change)))
    } else {
      self = .was(try members.decode(String.self, forKey: .was))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    if case .action(let action) = self { return try action.encode(to: encoder) }
    var members = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .was(let state): try members.encode(state, forKey: .was)
    case .ended(let change, let count): try members.encode(count, forKey: CodingKeys(change))
    case .action: break
    }
  }
}
