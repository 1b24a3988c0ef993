/// What phases have logged and which attempts did not succeed, oldest first: the answer to `Verbs.Logs`.
public struct LogsDocument: Hashable, Codable, Sendable {
  /// One line, with as much as is known of where it comes from.
  public struct Line: Hashable, Codable, Sendable {
    /// Milliseconds since 1970.
    public var atMs: Int64
    /// `debug`, `info`, `warning` or `error`.
    public var level: String
    public var text: String
    public var job: String?
    /// Its job type.
    public var phase: String?
    public var worker: String?
    /// Of the end of an attempt alone: its number.
    public var attempt: Int?
    /// Of the end of an attempt alone: what ran it.
    public var build: String?

    public init(
      atMs: Int64, level: String, text: String, job: String? = nil, phase: String? = nil,
      worker: String? = nil, attempt: Int? = nil, build: String? = nil
    ) {
      self.atMs = atMs
      self.level = level
      self.text = text
      self.job = job
      self.phase = phase
      self.worker = worker
      self.attempt = attempt
      self.build = build
    }

    private enum CodingKeys: String, CodingKey {
      case level, text, job, phase, worker, attempt, build
      case atMs = "at_ms"
    }
  }

  /// The coordinator's run: another one after each start, with which the numbers begin anew.
  public var coordinator: String
  public var lines: [Line]
  /// To be asked for as `after`.
  public var next: Int
  /// Lines before the first that had been forgotten.
  public var dropped: Int

  public init(
    coordinator: String, lines: [Line], next: Int, dropped: Int
  ) {
    self.coordinator = coordinator
    self.lines = lines
    self.next = next
    self.dropped = dropped
  }
}
