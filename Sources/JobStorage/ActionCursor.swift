/// How far an action has come in stores that number their jobs: which pass over them it makes, the last job it looked at,
/// and the last one that was there when it began.
package struct ActionCursor: Equatable {
  package var pass = 0
  package var serial: UInt64 = 0
  package var upTo: UInt64

  package init(upTo: UInt64) { self.upTo = upTo }

  /// - Throws: `.badCursor` for what no step gave.
  package init(_ text: String) throws(StoreError) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) }
    guard parts.count == 3, let pass = parts[0], pass < 100, let serial = parts[1], let upTo = parts[2] else {
      throw StoreError(.badCursor, operation: "perform", message: "'\(text)' is no cursor that a step gave")
    }
    self.pass = Int(pass)
    self.serial = serial
    self.upTo = upTo
  }

  package var text: String { "\(pass).\(serial).\(upTo)" }
}
