/// How far an action (`JobActions.perform`) has come in stores that number their jobs: which pass over them it makes, the last job it looked at,
/// and the last one that was there when it began.
public struct ActionCursor: Equatable {
  public var pass = 0
  public var serial: UInt64 = 0
  public var upTo: UInt64

  /// Before the first step.
  public init(upTo: UInt64) { self.upTo = upTo }

  /// - Throws: `.badCursor` for what no step gave.
  public init(_ text: String) throws(StoreError) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) }
    guard parts.count == 3, let pass = parts[0], pass < 100, let serial = parts[1], let upTo = parts[2] else {
      throw StoreError(.badCursor, operation: "perform", message: "'\(text)' is no cursor that a step gave")
    }
    self.pass = Int(pass)
    self.serial = serial
    self.upTo = upTo
  }

  /// What a step gives as its `next`.
  public var text: String { "\(pass).\(serial).\(upTo)" }
}
