/// What a peer of a coordinator is there for. Each verb names the role it needs. Nothing holds anybody to it yet: whoever
/// reaches a coordinator may ask it everything.
public enum Role: String, Hashable, Sendable, CaseIterable {
  /// Runs phases: takes jobs and tells what became of them. Needs no verb.
  case worker
  /// Gives jobs and waits for their ends.
  case client
  /// Changes jobs of others, phases and workers.
  case `operator`
  /// Looks, and changes nothing.
  case viewer
}
