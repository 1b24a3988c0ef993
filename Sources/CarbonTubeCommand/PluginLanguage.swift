internal import ArgumentParser

/// Languages that a project can be begun in.
enum PluginLanguage: String, CaseIterable, ExpressibleByArgument {
  case swift, c, cpp, rust

  /// It brings its own header and version script.
  var isLinkedByMake: Bool { self == .c || self == .cpp }
}
