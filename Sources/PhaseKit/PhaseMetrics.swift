/// Counts and measures what a phase does. From any thread; cheap enough for inner loops.
public struct PhaseMetrics: Sendable {
  private let put: @Sendable (_ kind: Int32, _ name: String, _ value: Double) -> Void

  init(_ put: @escaping @Sendable (_ kind: Int32, _ name: String, _ value: Double) -> Void) { self.put = put }

  /// Adds to a counter.
  /// - Parameters:
  ///   - name: `[a-z][a-z0-9_]{0,63}`.
  ///   - amount: from 0 on.
  public func count(_ name: String, _ amount: Double = 1) { put(0, name, amount) }

  /// The last value counts.
  public func gauge(_ name: String, _ value: Double) { put(1, name, value) }
}
