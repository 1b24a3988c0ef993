internal import Glibc
internal import JobStorage

extension SQLiteAddress {
  /// Asked before anything is made beside it.
  func refuseWhatIsNoFile() throws(StoreError) {
    var status = stat()
    guard stat(file, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR:
      throw Self.refusal("\(text): is a folder; write the path of a file in it, for example \(text)/jobs.db")
    default: throw Self.refusal("\(text): is not a regular file; correct the path")
    }
  }

  /// What stands where files beside the database belong. SQLite would tell something else of it.
  func refuseWhatIsInTheWay(of database: DatabaseFile) throws(StoreError) {
    for path in [database.logPath, database.logIndexPath, database.lockPath] {
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { continue }
      throw Self.refusal(
        "\(text): \(path) is not a regular file, but a file beside the database has that name; move it away")
    }
  }

  /// What the system said when `what`, the database or a file beside it, was to be opened or made.
  func refusal(_ code: Int32, opening what: String) -> StoreError {
    let (kind, words): (StoreError.Kind, String) =
      switch code {
      case ENOENT, ENOTDIR: (.misconfigured, "the folder does not exist; make it or correct the path")
      case ELOOP: (.misconfigured, "its links lead in a circle; correct the path")
      case ENAMETOOLONG: (.misconfigured, "the name is too long for its file system; choose a shorter one")
      case EISDIR, EACCES, EPERM:
        (.misconfigured, "may not write \(what); correct the path, or the rights of the file and its folder")
      case EROFS: (.refusesWrites, "the file system is read-only; mount it for writing or choose another path")
      case ENOSPC, EDQUOT: (.refusesWrites, shortage(on: file))
      case EMFILE, ENFILE: (.unavailable, Self.descriptorsUsedUp(code))
      default: (.unavailable, "cannot open \(what): \(String(cString: strerror(code))); look at its file system")
      }
    return StoreError(kind, operation: "open", message: "\(text): \(words)")
  }

  static func refusal(_ message: String) -> StoreError {
    StoreError(.misconfigured, operation: "open", message: shown(message))
  }

  static func descriptorsUsedUp(_ code: Int32) -> String {
    var limit = rlimit()
    guard code == EMFILE, getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return "the machine has no file descriptors left; end something, or raise fs.file-max"
    }
    return "all \(limit.rlim_cur) file descriptors of this process are in use; raise the limit (ulimit -n)"
  }
}

/// What a file system that has no room lacks.
func shortage(on path: String) -> String {
  var status = statvfs()
  let folder = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
  guard statvfs(folder, &status) == 0, status.f_files > 0, status.f_favail == 0 else {
    return "disk full, or max_bytes reached: free space; work resumes by itself"
  }
  return "its file system has no room for another file (no inodes left): remove some; work resumes by itself"
}

/// One line, whatever is in the text.
func shown(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
  return text.unicodeScalars.map { scalar in
    scalar.properties.generalCategory == .control
      ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
  }.joined()
}
