import Glibc
import PhaseKit

/// Removes a file. Jobs without a file go through unchanged.
struct DeleteFile: Phase {
  static let jobType = "delete-file"
  static let summary = "Removes file_path"
  static let traits: PhaseTraits = [.idempotent]
  static let inputSchema: String? =
    #"{"type":"object","properties":{"file_path":{"type":"string","description":"the file to remove"}}}"#

  // swift-format-ignore: AlwaysUseLowerCamelCase
  struct Input: Decodable {
    var file_path: String?
  }

  func execute(_ input: Input, _ job: JobContext) async throws -> Instructions? {
    guard let path = input.file_path, unlink(path) != 0 else { return nil }
    let reason = errno
    guard reason == ENOENT else {
      throw PhaseError.failed("cannot remove \(path): \(String(cString: strerror(reason)))", type: "FileNotRemoved")
    }
    // A worker can die after it has removed the file and before that is recorded; the job then comes back, and what it
    // asks for is already done. In a first attempt nobody but the job's author can explain the missing file.
    guard job.attempt > 1 else {
      // Permanent, because a second attempt would take the branch below and call this a success.
      throw PhaseError.permanent("\(path) is already gone", type: "FileMissing")
    }
    job.logger.info("\(path) is already gone; an earlier attempt of this job may have removed it")
    return nil
  }
}
