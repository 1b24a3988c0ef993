/// Writes lines into the log of the worker or coordinator. From any thread.
public struct PluginLogger: Sendable {
  /// What is known beside the words: names of the form `file_size`, and values of at most 1 KiB. At most 32 count.
  public typealias Metadata = [String: String]

  private let write: @Sendable (Int32, String, Metadata) -> Void
  private var metadata: Metadata = [:]

  init(_ write: @escaping @Sendable (_ level: Int32, _ message: String, _ metadata: Metadata) -> Void) {
    self.write = write
  }

  /// Goes with each line from now on that is written by this value of the logger.
  public subscript(metadataKey name: String) -> String? {
    get { metadata[name] }
    set { metadata[name] = newValue }
  }

  public func debug(_ message: String, metadata: Metadata = [:]) { log(0, message, metadata) }
  public func info(_ message: String, metadata: Metadata = [:]) { log(1, message, metadata) }
  public func warning(_ message: String, metadata: Metadata = [:]) { log(2, message, metadata) }
  public func error(_ message: String, metadata: Metadata = [:]) { log(3, message, metadata) }

  private func log(_ level: Int32, _ message: String, _ own: Metadata) {
    write(level, message, own.isEmpty ? metadata : metadata.merging(own) { _, own in own })
  }
}

extension PluginLogger.Metadata {
  /// For a log that has no fields.
  func appended(to message: String) -> String {
    guard !isEmpty else { return message }
    let words = sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return "\(message) [\(words.joined(separator: ", "))]"
  }
}
