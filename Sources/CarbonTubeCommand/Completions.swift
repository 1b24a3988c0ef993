internal import ArgumentParser
internal import CarbonTube
internal import Logging

/// What a shell offers where a plugin, or something that a plugin has, is meant. The shell runs this program for it; a
/// plugin is described as everywhere, in a child process, and what was found out before is taken.
extension CompletionKind {
  static let logLevel = CompletionKind.list(Logger.Level.allCases.map(\.rawValue))
  static let plugin = CompletionKind.file(extensions: ["so"])

  static let context = CompletionKind.custom { _, _, _ in
    guard let path = ContextFile.path(), let file = try? ContextFile.read(path) else { return [] }
    return file.contexts.keys.sorted()
  }

  /// Phases of the plugin that stands in the word before.
  static let phaseOfPlugin = CompletionKind.custom { words, index, _ in
    described(before: index, in: words).map { $0.phases.map(\.jobType) } ?? []
  }

  static let pipelineOfPlugin = CompletionKind.custom { words, index, _ in
    described(before: index, in: words).map { $0.pipelines.map(\.name) } ?? []
  }

  /// For `phase`, whose words are a plugin and one of its phases.
  static let pluginThenPhase = CompletionKind.custom { words, index, prefix in
    described(before: index, in: words).map { $0.phases.map(\.jobType) } ?? PluginSearch.files(beginning: prefix)
  }

  private static func described(before index: Int, in words: [String]) -> PluginDescription? {
    guard words.indices.contains(index - 1), index > 1 else { return nil }
    let file = PluginSearch.file(named: words[index - 1])
    guard file.hasSuffix(".so") else { return nil }
    return PluginCatalog().describe(file: file)
  }
}
