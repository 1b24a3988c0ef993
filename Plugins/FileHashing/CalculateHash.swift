public import PhaseKit

/// The SHA-1 of a file. Jobs without a file go through unchanged: an earlier phase had nothing to make.
public struct CalculateHash: Phase {
  public static let jobType = "calculate-hash"
  public static let summary = "SHA-1 of file_path"
  public static let traits: PhaseTraits = [.deterministic, .idempotent]
  public static let inputSchema: String? =
    #"{"type":"object","properties":{"file_path":{"type":"string","description":"the file to hash"}}}"#
  public static let outputSchema: String? =
    #"{"type":"object","properties":{"hash":{"type":"string","pattern":"^[0-9a-f]{40}$"}}}"#

  // swift-format-ignore: AlwaysUseLowerCamelCase
  public struct Input: Decodable, Sendable {
    public var file_path: String?
  }

  public struct Output: Encodable, Sendable {
    public var hash: String
  }

  public init() {}

  public func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    guard let path = input.file_path else { return nil }
    guard let file = ReadableFile(path) else {
      job.logger.warning("no file to hash: \(path) does not exist")
      // Not permanent: on a shared file system a file may become visible later than the job that names it.
      throw PhaseError.failed("\(path) does not exist", type: "FileMissing")
    }
    return Output(hash: try hash(file, job))
  }

  private func hash(_ file: borrowing ReadableFile, _ job: JobContext) throws -> String {
    var digest = SHA1()
    var done = 0
    while true {
      try job.checkCancellation()
      let count = try file.read { digest.update($0) }
      if count == 0 { return digest.finish() }
      done += count
      job.progress(file.size > 0 ? Double(done) / Double(file.size) : 1)
    }
  }
}
