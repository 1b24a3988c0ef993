internal import CarbonTube
internal import Glibc

/// A plugin as a command line names it.
struct PluginFile {
  let description: PluginDescription

  /// Looks at the file in a child process.
  init(_ path: String) throws(CommandFailure) {
    try self.init(PluginCatalog().describe(file: try Self.path(path)))
  }

  /// For a file that was looked at already.
  init(_ description: PluginDescription) throws(CommandFailure) {
    self.description = description
    // One in quarantine still has its definitions, and can be tried by its author.
    if let problem = description.problem, !description.state.isQuarantined { throw CommandFailure(.data, problem) }
  }

  /// The file that is meant by a path, or by a bare name on the plugin path.
  static func path(_ name: String) throws(CommandFailure) -> String {
    guard !name.isEmpty else { throw CommandFailure(.usage, "a plugin's path is empty; name its .so file") }
    let path = PluginSearch.file(named: name)
    guard access(path, F_OK) == 0 else {
      throw CommandFailure(.noInput, "\(path) does not exist; name a plugin's .so file")
    }
    return path
  }

  func pipeline(_ name: String) throws(CommandFailure) -> PipelineDefinition {
    do throws(PluginRefusal) {
      let described = try description.pipeline(name)
      do throws(PipelineDefinitionError) {
        return try PipelineDefinition(described)
      } catch {
        throw PluginRefusal(kind: .notAPlugin, file: description.file, reason: "cannot be used: \(error.message)")
      }
    } catch {
      let isThere = description.pipelines.contains { $0.name == name }
      throw CommandFailure(isThere ? .configuration : .usage, error.description)
    }
  }

  /// - Throws: where the file cannot be used, or one of its pipelines cannot.
  func verify() throws(CommandFailure) {
    for pipeline in description.pipelines { _ = try self.pipeline(pipeline.name) }
    if let problem = description.phases.lazy.compactMap(settingsSchemaProblem).first {
      throw CommandFailure(.data, "\(description.file): \(problem)")
    }
    if let problem = description.problem { throw CommandFailure(.data, problem) }
  }

  func hasHooks(_ name: String) -> Bool { description.pipelines.first { $0.name == name }?.hasHooks ?? false }
}
