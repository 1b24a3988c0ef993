import Glibc
import PhaseKit

/// A file read from its start to its end.
struct ReadableFile: ~Copyable {
  /// As it was when the file was opened.
  let size: Int
  private let descriptor: Int32
  private let path: String
  private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

  /// Nil where it cannot be opened.
  init?(_ path: String) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    self.path = path
  }

  deinit {
    close(descriptor)
    block.deallocate()
  }

  /// The next bytes, lent to `take`.
  /// - Returns: their number; 0 at the end.
  func read(_ take: (UnsafeRawBufferPointer) -> Void) throws(PhaseError) -> Int {
    let count = Glibc.read(descriptor, block.baseAddress, block.count)
    guard count >= 0 else {
      throw PhaseError.failed("cannot read \(path): \(String(cString: strerror(errno)))", type: "FileUnreadable")
    }
    take(UnsafeRawBufferPointer(rebasing: block[..<count]))
    return count
  }
}
