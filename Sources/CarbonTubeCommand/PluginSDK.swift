internal import FoundationEssentials
internal import Glibc

/// What authors of plugins build against, as scripts/sdk puts it together: PhaseKit, the C header, templates.
struct PluginSDK {
  /// Absolute.
  let folder: String

  /// CARBONTUBE_SDK, else what was installed or built with this program.
  init() throws(CommandFailure) {
    if let named = getenv("CARBONTUBE_SDK").map({ String(cString: $0) }), !named.isEmpty {
      guard let found = Self.resolved(named) else {
        throw CommandFailure(.configuration, "CARBONTUBE_SDK: \(named) is no CarbonTube SDK; it has no Package.swift")
      }
      folder = found
      return
    }
    let places = ProgramFolder.prefix().map { ["\($0)/share/carbontube/sdk", "\($0)/sdk"] } ?? []
    guard let found = places.lazy.compactMap(Self.resolved).first else {
      throw CommandFailure(
        .configuration,
        "no SDK at \(places.joined(separator: " or ")); scripts/build makes it, CARBONTUBE_SDK names another")
    }
    folder = found
  }

  /// The linker's version script: a plugin exports its entry and nothing else.
  var exports: String { folder + "/phase.exports" }
  var header: String { folder + "/Sources/CPhaseABI/include/carbontube.h" }

  private static func resolved(_ path: String) -> String? {
    guard access(path + "/Package.swift", R_OK) == 0, let absolute = realpath(path, nil) else { return nil }
    defer { free(absolute) }
    return String(cString: absolute)
  }
}
