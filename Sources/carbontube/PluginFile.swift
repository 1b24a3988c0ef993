internal import CarbonTube
internal import Glibc

/// A plugin as a command line names it.
struct PluginFile {
  let description: PluginDescription

  /// Looks at the file in a child process.
  init(_ path: String) throws(CommandFailure) {
    guard access(path, F_OK) == 0 else {
      throw CommandFailure(.noInput, "\(path) does not exist; name a plugin's .so file")
    }
    description = PluginCatalog().describe(file: path)
    // One in quarantine still has its definitions, and can be tried by its author.
    if let problem = description.problem, !description.state.isQuarantined { throw CommandFailure(.data, problem) }
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

  func hasHooks(_ name: String) -> Bool { description.pipelines.first { $0.name == name }?.hasHooks ?? false }
}
