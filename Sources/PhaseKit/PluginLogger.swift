/// Writes lines into the log of the worker or coordinator. From any thread.
public struct PluginLogger: Sendable {
  private let write: @Sendable (Int32, String) -> Void

  init(_ write: @escaping @Sendable (_ level: Int32, _ message: String) -> Void) {
    self.write = write
  }

  public func debug(_ message: String) { write(0, message) }
  public func info(_ message: String) { write(1, message) }
  public func warning(_ message: String) { write(2, message) }
  public func error(_ message: String) { write(3, message) }
}
