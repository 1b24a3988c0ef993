/// A page of jobs, newest first: the answer to `Verbs.Jobs`. Their instructions are payloads behind it, one for each.
public struct JobsDocument: Hashable, Codable, Sendable {
  public var jobs: [JobDocument]
  /// To be asked for as `cursor`; nil: there are no more.
  public var next: String?
  /// How many were searched, where a part of their instructions was asked for.
  public var examined: Int?

  public init(
    jobs: [JobDocument], next: String? = nil, examined: Int? = nil
  ) {
    self.jobs = jobs
    self.next = next
    self.examined = examined
  }
}
