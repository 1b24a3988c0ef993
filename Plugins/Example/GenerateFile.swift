import FileHashing
import Glibc
import PhaseKit

/// Writes a file of random UUIDs, one a line. Without a size there is nothing to write and no result.
struct GenerateFile: Phase, ConfiguredPhase {
  static let jobType = "generate-file"
  static let summary = "Writes a file of `size` random UUID lines"
  static let traits: PhaseTraits = [.idempotent]
  static let inputSchema: String? =
    #"{"type":"object","properties":{"size":{"type":"integer","minimum":0,"maximum":10000000}}}"#
  static let outputSchema: String? = #"{"type":"object","properties":{"file_path":{"type":"string"}}}"#

  static let settingsSchema: String? =
    #"{"type":"object","properties":{"folder":{"type":"string","minLength":1}},"additionalProperties":false}"#

  static let maximumSize = 10_000_000

  struct Settings: Decodable {
    /// Where the files go, the same in every attempt. Without it TMPDIR or /tmp.
    var folder: String?
  }

  private let folder: String

  init(settings: Settings) {
    let temporary = environmentVariable("TMPDIR").flatMap { $0.isEmpty ? nil : $0 }
    folder = settings.folder ?? temporary ?? "/tmp"
  }

  struct Input: Decodable {
    var size: Int?
  }

  // swift-format-ignore: AlwaysUseLowerCamelCase
  struct Output: Encodable {
    var file_path: String
  }

  func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    guard let size = input.size else { return nil }
    guard (0...Self.maximumSize).contains(size) else {
      throw PhaseError.badInput("size is \(size); it must be within 0...\(Self.maximumSize)")
    }
    let path = "\(folder)/carbontube-\(fileName(for: job.id)).txt"
    let lines = UUIDLines(count: size)
    // The first attempt that finishes makes the file. A later one, perhaps of a worker that was thought dead, must not
    // change what other phases have already read.
    if lines.length(ofFileAt: path) == lines.length { return Output(file_path: path) }
    try lines.write(to: path, job)
    return Output(file_path: path)
  }

  /// Job ids may hold characters that mean something in a path; those are named by their hash.
  private func fileName(for id: String) -> String {
    let isPlain = id.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    if isPlain, !id.isEmpty { return id }
    var digest = SHA1()
    Array(id.utf8).withUnsafeBytes { digest.update($0) }
    return digest.finish()
  }
}
