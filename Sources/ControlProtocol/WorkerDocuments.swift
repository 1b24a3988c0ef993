/// Whoever finishes what they run, and end: the answer to `Verbs.Drain`.
public struct DrainDocument: Hashable, Codable, Sendable {
  /// As it was asked for.
  public var worker: String

  public init(
    worker: String
  ) {
    self.worker = worker
  }
}

/// Who was told to run a build again: the answer to `Verbs.Release`.
public struct ReleaseDocument: Hashable, Codable, Sendable {
  /// The build: the first 12 digits of the file's SHA-256.
  public var plugin: String
  /// Their ids.
  public var workers: [String]

  public init(
    plugin: String, workers: [String]
  ) {
    self.plugin = plugin
    self.workers = workers
  }
}
