internal import FoundationEssentials

/// Builds the plugins of a project into its folder `build`, each whole or not at all.
struct PluginBuild {
  /// Of the project.
  let folder: String
  let isSelfContained: Bool
  /// Not optimized, and with what a debugger and the trace of a crash need to tell lines.
  let isForDebugging: Bool

  /// - Returns: paths of what was built.
  func run() throws(CommandFailure) -> [String] {
    if has("Package.swift") { return try buildSwift() }
    guard !isSelfContained else {
      throw CommandFailure(.usage, "--self-contained is for Swift packages; \(folder) has no Package.swift")
    }
    if has("Cargo.toml") {
      let profile = isForDebugging ? [] : ["--release"]
      try BuildTool.run(["cargo", "build", "--target-dir", "target"] + profile, in: folder)
      let place = folder + "/target/" + configuration
      return try install(from: place, sharedObjects(in: place))
    }
    guard has("Makefile") else {
      throw CommandFailure(
        .noInput, "\(folder) has no Package.swift, Cargo.toml or Makefile; carbontube plugins new begins a project")
    }
    if isForDebugging { try requireDebuggingMakefile() }
    try BuildTool.run(["make"] + (isForDebugging ? ["DEBUG=1"] : []), in: folder)
    let built = try sharedObjects(in: folder + "/build")
    return built.map { "\(folder)/build/\($0)" }
  }

  private var configuration: String { isForDebugging ? "debug" : "release" }

  /// Make takes no exception to a variable that a Makefile does not know.
  private func requireDebuggingMakefile() throws(CommandFailure) {
    let text = (try? String(contentsOfFile: "\(folder)/Makefile", encoding: .utf8)) ?? ""
    guard text.contains("DEBUG") else {
      throw CommandFailure(
        .data, "\(folder)/Makefile knows no DEBUG; have it compile with '-O0 -g' where DEBUG=1 is given to make")
    }
  }

  private func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(file)") }

  private func sharedObjects(in place: String) throws(CommandFailure) -> [String] {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: place))?.filter { $0.hasSuffix(".so") } ?? []
    guard !found.isEmpty else { throw CommandFailure(.data, "\(place) has no .so after the build; is it a plugin's?") }
    return found.sorted()
  }

  private func install(from place: String, _ names: [String]) throws(CommandFailure) -> [String] {
    do {
      return try names.map { name in
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/build", withIntermediateDirectories: true)
        let draft = "\(folder)/build/\(name).new"
        try? files.removeItem(atPath: draft)
        try files.copyItem(atPath: "\(place)/\(name)", toPath: draft)
        let target = "\(folder)/build/\(name)"
        try? files.removeItem(atPath: target)
        try files.moveItem(atPath: draft, toPath: target)
        return target
      }
    } catch {
      throw CommandFailure(.unavailable, "\(folder)/build could not be written: \(reason(of: error))")
    }
  }

  // MARK: - Swift

  private struct Package: Decodable {
    struct Product: Decodable {
      var name: String
      var targets: [String]
      var type: [String: [String]?]
    }
    var products: [Product]
  }

  private func buildSwift() throws(CommandFailure) -> [String] {
    let sdk = try PluginSDK()
    let described = try BuildTool.output(of: ["swift", "package", "describe", "--type", "json"], in: folder)
    guard let package = try? JSONDecoder().decode(Package.self, from: Data(described)) else {
      throw CommandFailure(.data, "what 'swift package describe' says of \(folder) cannot be read")
    }
    let products = package.products.filter { $0.type["library"] == ["dynamic"] }
    guard !products.isEmpty else {
      throw CommandFailure(
        .data, "\(folder)/Package.swift has no product that becomes a shared object; give one type: .dynamic")
    }
    for product in products {
      if isSelfContained {
        try linkWithRuntime(product, sdk)
      } else {
        let words = ["swift", "build", "-c", configuration, "--product", product.name]
        // No path of this machine's toolchain: the host hands it the runtime.
        try BuildTool.run(words + linking(sdk) + ["-Xswiftc", "-no-toolchain-stdlib-rpath"], in: folder)
      }
    }
    let place = folder + (isSelfContained ? "/.build/self-contained" : "/.build/" + configuration)
    return try install(from: place, products.map { "lib\($0.name).so" })
  }

  /// Exports the entry alone, is never unloaded, resolves all symbols when it is loaded. The names of functions stay in
  /// every build, for the trace of a crash; lines, which hold the paths of the machine that it was built on, only in those
  /// for debugging.
  private func linking(_ sdk: PluginSDK) -> [String] {
    let words = ["--version-script=\(sdk.exports)", "-z", "nodelete", "-z", "now"]
    return (words + (isForDebugging ? [] : ["-S"])).flatMap { ["-Xlinker", $0] }
  }

  /// SwiftPM links no shared object with a static runtime (swiftlang/swift-package-manager#8198), so it compiles and the
  /// compiler's driver links. In a scratch folder of its own, made anew: the objects of removed files would be linked in.
  private func linkWithRuntime(_ product: Package.Product, _ sdk: PluginSDK) throws(CommandFailure) {
    let scratch = "\(folder)/.build/self-contained/\(product.name)"
    try? FileManager.default.removeItem(atPath: scratch)
    for target in product.targets {
      let words = ["swift", "build", "-c", configuration, "--static-swift-stdlib", "--target", target]
      let note = ["-Xcc", "-DCT_SELF_CONTAINED"]
      try BuildTool.run(words + note + ["--scratch-path", ".build/self-contained/\(product.name)"], in: folder)
    }
    let objects = objectFiles(below: scratch + "/\(configuration)/")
    let library = ".build/self-contained/lib\(product.name).so"
    let compiler = ["swiftc", "-emit-library", "-static-stdlib", isForDebugging ? "-g" : "-O", "-o", library]
    try BuildTool.run(compiler + linking(sdk) + objects, in: folder)
  }

  private func objectFiles(below place: String) -> [String] {
    let root = String(place.dropFirst(folder.count + 1))
    let entries = (try? FileManager.default.subpathsOfDirectory(atPath: place)) ?? []
    return entries.filter { $0.hasSuffix(".o") }.sorted().map { root + $0 }
  }
}
