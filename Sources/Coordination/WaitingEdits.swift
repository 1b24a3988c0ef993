/// Instructions that wait for the store to take the place of others, in bytes. A pure value.
struct WaitingEdits {
  private var bytes = 0

  /// One may always wait, however large; more of them within what one message may have.
  func hasRoom(for bytes: Int, within maximum: Int) -> Bool { self.bytes == 0 || self.bytes + bytes <= maximum }

  mutating func add(_ bytes: Int) { self.bytes += bytes }

  /// The store has answered.
  mutating func remove(_ bytes: Int) { self.bytes -= bytes }
}
