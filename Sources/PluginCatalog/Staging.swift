import Glibc

/// A copy of a plugin that nothing changes any more.
public struct StagedPlugin: Hashable, Sendable {
  /// Absolute; named by the content, so that a changed plugin has another path and the loader cannot mistake it for one
  /// that it has seen.
  public let path: String
  /// 64 lower-case hexadecimal digits.
  public let sha256: String

  public init(path: String, sha256: String) {
    self.path = path
    self.sha256 = sha256
  }
}

/// Copies the opened file to `folder`/<sha256>/<name>, or finds that it is there.
///
/// A plugin that is overwritten while it is mapped crashes its process, and one that is renamed over is silently the old
/// one to the loader; a copy that is named by its content avoids both, and is what was checked. Never a hard link, which
/// would share the file that is overwritten.
func copyByContent(_ file: borrowing OpenedFile, to folder: String) throws(PluginRefusal) -> StagedPlugin {
  let drafts = folder + "/plugins"
  let failed = StateFolder.make(drafts)
  guard failed == 0 else {
    throw copyFailure(file.path, drafts, failed)
  }
  try checkExecutable(drafts, for: file.path)
  let draft = try copyToDraft(file, in: drafts)
  defer { unlink(draft.path) }
  let home = "\(drafts)/\(draft.sha256)"
  let name = file.path.split(separator: "/").last.map(String.init) ?? "plugin.so"
  let staged = StagedPlugin(path: "\(home)/\(name)", sha256: draft.sha256)
  let copies = StagedCopies(stateFolder: folder)
  copies.touch(staged.path)
  if hash(ofFileAt: staged.path) == staged.sha256 { return staged }
  guard StateFolder.make(home) == 0, rename(draft.path, staged.path) == 0 else {
    throw copyFailure(file.path, staged.path, errno)
  }
  // Whoever adds tidies up, so that the folder does not grow without end.
  copies.prune(nowSeconds: time(nil))
  return staged
}

private func copyToDraft(
  _ file: borrowing OpenedFile, in folder: String
) throws(PluginRefusal) -> (path: String, sha256: String) {
  guard let (draft, path) = makeDraft("\(folder)/draft-XXXXXX") else { throw copyFailure(file.path, folder, errno) }
  defer { close(draft) }
  var digest = SHA256()
  var done = 0
  while done < file.size {
    guard let block = file.bytes(at: done, count: min(1 << 20, file.size - done)), writeAll(block, to: draft) else {
      let failure = copyFailure(file.path, folder, errno)
      unlink(path)
      throw failure
    }
    digest.update(block)
    done += block.count
  }
  // Before the rename: a name must never stand for bytes that a power cut could lose.
  guard fchmod(draft, 0o500) == 0, fsync(draft) == 0 else {
    let failure = copyFailure(file.path, folder, errno)
    unlink(path)
    throw failure
  }
  return (path, digest.finish())
}

func writeAll(_ block: [UInt8], to descriptor: Int32) -> Bool {
  var done = 0
  while done < block.count {
    let written = block[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written > 0 else { return false }
    done += written
  }
  return true
}

func hash(ofFileAt path: String) -> String? {
  guard let file = try? OpenedFile(path) else { return nil }
  var digest = SHA256()
  var done = 0
  while done < file.size {
    guard let block = file.bytes(at: done, count: min(1 << 20, file.size - done)) else { return nil }
    digest.update(block)
    done += block.count
  }
  return digest.finish()
}

/// ST_NOEXEC of <sys/statvfs.h>, which Swift does not see.
private let noExecution: UInt = 8

/// The loader maps code from the copy, which a mount may forbid.
private func checkExecutable(_ folder: String, for file: String) throws(PluginRefusal) {
  var system = statvfs()
  guard statvfs(folder, &system) == 0, system.f_flag & noExecution != 0 else { return }
  throw PluginRefusal(
    kind: .staging, file: file,
    reason: "cannot be loaded from \(folder), which is on a file system mounted noexec; CARBONTUBE_STATE_DIR chooses "
      + "another folder")
}

private func copyFailure(_ file: String, _ place: String, _ code: Int32) -> PluginRefusal {
  PluginRefusal(
    kind: .staging, file: file,
    reason: "cannot be copied to \(place): \(String(cString: strerror(code))); CARBONTUBE_STATE_DIR chooses another "
      + "folder")
}
