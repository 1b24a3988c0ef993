/// Moves jobs: all that a turn of the coordinator writes and claims is one call.
public protocol JobTable: AnyObject {
  /// True for a store that has nothing to wait for: it is then called in the event loop itself.
  var answersAtOnce: Bool { get }

  /// Does the whole turn. SQLite: all or nothing. Redis: in the turn's order, each item all or nothing.
  ///
  /// What it wrote outlives this process at once, and a loss of power where `needsFlush` is false.
  func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult

  /// True for a store whose turns outlive a loss of power only after `flush`.
  var needsFlush: Bool { get }

  /// Makes what `apply` wrote outlive a loss of power. Called after each `apply` before anything of it is acknowledged;
  /// the jobs it claimed may be at work by then, since a lost claim, or a lost step from one phase to the next, only means
  /// that something is done once more.
  func flush() throws(StoreError)
}

extension JobTable {
  public var answersAtOnce: Bool { false }
  public var needsFlush: Bool { false }
  public func flush() throws(StoreError) {}
}
