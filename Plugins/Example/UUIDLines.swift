import FoundationEssentials
import Glibc
import PhaseKit

/// A file of random UUIDs, one a line.
struct UUIDLines {
  private static let lineLength = 37
  private static let linesPerBlock = 4_096

  let count: Int

  /// In bytes.
  var length: Int { count * Self.lineLength }

  /// Nil where there is no such file.
  func length(ofFileAt path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// Nobody ever sees a part of the file, and one of the right length that appears meanwhile stays.
  /// - Throws: `PhaseError`, or `CancellationError`; nothing is left behind.
  func write(to path: String, _ job: JobContext) throws {
    let draft = "\(path).\(UUID().uuidString).part"
    defer { unlink(draft) }
    try writeLines(to: draft, job)
    if link(draft, path) == 0 { return }
    // A leftover of another job that once had this id: its length is wrong, or we would not be here; the check is
    // repeated because another attempt may have finished in between.
    if errno == EEXIST {
      if length(ofFileAt: path) == length || rename(draft, path) == 0 { return }
    }
    throw failure("cannot make \(path)")
  }

  private func writeLines(to draft: String, _ job: JobContext) throws {
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("cannot make \(draft)") }
    defer { close(descriptor) }
    var rest = count
    while rest > 0 {
      try job.checkCancellation()
      let lines = min(rest, Self.linesPerBlock)
      var block: [UInt8] = []
      block.reserveCapacity(lines * Self.lineLength)
      for _ in 0..<lines {
        block.append(contentsOf: UUID().uuidString.utf8)
        block.append(UInt8(ascii: "\n"))
      }
      try writeAll(block, to: descriptor, draft)
      rest -= lines
      job.progress(Double(count - rest) / Double(count))
    }
  }

  private func writeAll(_ block: [UInt8], to descriptor: Int32, _ path: String) throws {
    var done = 0
    while done < block.count {
      let written = block[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 else { throw failure("cannot write \(path)") }
      done += written
    }
  }

  private func failure(_ what: String) -> PhaseError {
    PhaseError.failed("\(what): \(String(cString: strerror(errno)))", type: "FileNotWritten")
  }
}
