internal import FoundationEssentials

/// A project to begin with, in one language.
struct PluginTemplate {
  let sdk: PluginSDK
  let language: PluginLanguage
  /// A job_type as well.
  let name: String

  /// `ResizeImage` for `resize-image`.
  var module: String { name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }

  /// Writes the project.
  /// - Parameter folder: must not exist.
  func write(to folder: String) throws(CommandFailure) {
    let files = FileManager.default
    guard !files.fileExists(atPath: folder) else {
      throw CommandFailure(.usage, "\(folder) is there already; name another folder with --directory")
    }
    do {
      for part in ["common", language.rawValue] { try copy("\(sdk.folder)/templates/\(part)", to: folder) }
      try files.moveItem(atPath: folder + "/gitignore", toPath: folder + "/.gitignore")
      if language.isLinkedByMake {
        try files.copyItem(atPath: sdk.header, toPath: folder + "/carbontube.h")
        try files.copyItem(atPath: sdk.exports, toPath: folder + "/phase.exports")
      }
    } catch {
      throw CommandFailure(.unavailable, "\(folder) could not be written: \(reason(of: error))")
    }
  }

  private func copy(_ source: String, to folder: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for entry in try files.contentsOfDirectory(atPath: source) {
      let from = "\(source)/\(entry)"
      let to = "\(folder)/\(filled(entry))"
      var isFolder = false
      guard files.fileExists(atPath: from, isDirectory: &isFolder) else { continue }
      if isFolder {
        try copy(from, to: to)
      } else {
        try Data(filled(String(contentsOfFile: from, encoding: .utf8)).utf8).write(to: URL(filePath: to))
        if files.isExecutableFile(atPath: from) {
          try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: to)
        }
      }
    }
  }

  private func filled(_ text: String) -> String {
    text.replacing("__NAME__", with: name).replacing("__MODULE__", with: module)
      .replacing("__SNAKE__", with: name.replacing("-", with: "_")).replacing("__SDK__", with: sdk.folder)
  }
}
