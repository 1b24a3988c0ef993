import CHostProcess
import Glibc

/// The folder for scratch files that this child was given. It is emptied after each job, so that no job finds, or pays
/// for, what another one left.
struct WorkFolder {
  private let path: String
  private let descriptor: Int32
  private var hasComplained = false

  /// Nil where the child was given none, or it is not there.
  init?(path: String) {
    guard !path.isEmpty else { return nil }
    self.path = path
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
  }

  /// - Returns: a sentence for the log where something stays that cannot be removed; once, not for each job.
  mutating func empty() -> String? {
    guard host_empty_folder(descriptor) != 0, !hasComplained else { return nil }
    hasComplained = true
    return "\(path) cannot be emptied after a job: \(String(cString: strerror(errno)))"
  }
}
