import Glibc

/// Refuses a file that somebody else than its user or root could change, or replace by way of a folder above it: it
/// would run with the rights of this process.
///
/// - Parameter path: without symbolic links.
func checkLocation(_ file: borrowing OpenedFile, resolved path: String) throws(PluginRefusal) {
  try check(file.status, path, of: file.path, isFolder: false)
  var folder = path[...]
  while let slash = folder.lastIndex(of: "/") {
    folder = folder[..<slash]
    let name = folder.isEmpty ? "/" : String(folder)
    var status = stat()
    guard lstat(name, &status) == 0 else {
      throw PluginRefusal(kind: .unreadable, file: file.path, reason: "lies in \(name), which cannot be looked at")
    }
    try check(status, name, of: file.path, isFolder: true)
  }
}

private func check(_ status: stat, _ name: String, of file: String, isFolder: Bool) throws(PluginRefusal) {
  let what = isFolder ? "lies in \(name), which" : "is a file that"
  guard status.st_uid == 0 || status.st_uid == geteuid() else {
    throw PluginRefusal(
      kind: .untrusted, file: file,
      reason: "\(what) belongs to user \(status.st_uid); plugins must belong to root or to the user who runs them")
  }
  // In a sticky folder such as /tmp only the owner of an entry can replace it.
  if isFolder, status.st_mode & S_ISVTX != 0 { return }
  let others = status.st_mode & S_IWOTH != 0
  // A user's private group, by its number, is the user.
  let group = status.st_mode & S_IWGRP != 0 && status.st_gid != status.st_uid
  guard !others, !group else {
    throw PluginRefusal(
      kind: .untrusted, file: file, reason: "\(what) others may write to; run chmod go-w \(name)")
  }
}
