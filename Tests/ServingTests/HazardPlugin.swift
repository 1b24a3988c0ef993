import PluginTestKit

/// Tests/Fixtures/HazardPlugin, compiled with one hazard in it.
struct HazardPlugin {
  enum Language {
    case c, cxx, rust
  }

  let folder: TemporaryFolder

  /// - Parameter definitions: as hazard.c tells of them.
  /// - Returns: the library's bytes.
  func compiled(build: Int, _ definitions: [String] = [], misdeedIn language: Language = .c) throws -> [UInt8] {
    let library = "\(folder.path)/hazard-\(build).o"
    let fixture = "\(packageFolder)/Tests/Fixtures/HazardPlugin"
    var words = [
      "clang", "-std=gnu11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-I", "\(packageFolder)/Sources/CPhaseABI/include",
      "-DBUILD=\"\(build)\"", "-DGATE=\"\(folder.path)\"",
    ]
    words += definitions.map { "-D\($0)" } + ["\(fixture)/hazard.c", "-o", library]
    let misdeed = "\(folder.path)/misdeed.a"
    switch language {
    case .c: break
    case .cxx:
      try run("g++", "-fPIC", "-c", "\(fixture)/misdeed.cpp", "-o", misdeed)
      words += ["-DMISDEED", misdeed, "-lstdc++"]
    case .rust:
      try run(
        "rustc", "--crate-type=staticlib", "-Cpanic=abort", "-Crelocation-model=pic", "\(fixture)/misdeed.rs", "-o",
        misdeed)
      words += ["-DMISDEED", misdeed, "-lgcc_s", "-lpthread", "-ldl"]
    }
    try run(words)
    return try contents(of: library)
  }
}
