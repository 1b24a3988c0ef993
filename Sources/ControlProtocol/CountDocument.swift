/// How many jobs match: the answer to `Verbs.Count`.
public enum CountDocument: Hashable, Codable, Sendable {
  /// - more: there are more than those that were counted; false since counts run to their end.
  case counted(Int, more: Bool)
  /// Counting takes longer, and goes on in the background.
  case action(ActionDocument)

  private enum CodingKeys: String, CodingKey {
    case action, count, more
  }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    guard !members.contains(.action) else {
      self = .action(try ActionDocument(from: decoder))
      return
    }
    self = .counted(
      try members.decode(Int.self, forKey: .count), more: try members.decodeIfPresent(Bool.self, forKey: .more) ?? false
    )
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .action(let action): try action.encode(to: encoder)
    case .counted(let count, let more):
      var members = encoder.container(keyedBy: CodingKeys.self)
      try members.encode(count, forKey: .count)
      try members.encode(more, forKey: .more)
    }
  }
}
