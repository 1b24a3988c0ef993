// swift-tools-version: 6.2
import PackageDescription

/// Rooms and the way their arrows point are described in docs/architecture.md;
/// CI builds with `--explicit-target-dependency-import-check error`, so an arrow that is
/// not written here does not compile.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// A plugin exports its one entry symbol, never unloads (docs/plugin-abi.md, "Never unloaded"), and resolves
/// every symbol when it is loaded rather than in the middle of a job.
let pluginLinking: [LinkerSetting] = [
  .unsafeFlags([
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/phase.exports",
    "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker", "-z", "-Xlinker", "now",
  ])
]

// Swift promises no stable binary interface on Linux, so a plugin's ELF note carries the version of its compiler and a
// host refuses another one. The manifest is the one place that can tell it to C.
#if compiler(>=6.6)
  let swiftVersion = "606"
#elseif compiler(>=6.5)
  let swiftVersion = "605"
#elseif compiler(>=6.4)
  let swiftVersion = "604"
#elseif compiler(>=6.3)
  let swiftVersion = "603"
#else
  let swiftVersion = "602"
#endif
let swiftVersionForC: [CSetting] = [.define("CT_SWIFT_VERSION", to: swiftVersion)]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func plugin(_ name: String, _ dependencies: [Target.Dependency] = ["PhaseKit", "CPhaseABI"]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Plugins/\(name)", swiftSettings: strict,
    linkerSettings: pluginLinking)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// `scripts/sanitize` sets it: without the suites whose subject is another program or the web page, nothing of the HTTP
/// server need be built again for each sanitizer.
let isSanitized = Context.environment["CARBONTUBE_SANITIZE"] != nil

/// For tests that start real children: the host must have been built before they run.
let hostChildren: [Target.Dependency] = [
  "carbontube-plugin-host", "HostSupervision", "HostProtocol", "PluginTestKit",
]

let package = Package(
  name: "carbontube",
  products: [
    .executable(name: "carbontube", targets: ["carbontube"]),
    .executable(name: "carbontube-plugin-host", targets: ["carbontube-plugin-host"]),
    // For programs that embed a coordinator, a worker or a client.
    .library(name: "CarbonTube", targets: ["CarbonTube"]),
    // For programs that are the command line, with stores of their own.
    .library(name: "CarbonTubeCommand", targets: ["CarbonTubeCommand"]),
    // For authors of stores: what a store is, and what it must do.
    .library(name: "JobStorage", targets: ["JobStorage", "PipelineModel"]),
    .library(name: "JobStorageContract", targets: ["JobStorageContract"]),
    // For authors of phases and pipelines.
    .library(name: "PhaseKit", targets: ["PhaseKit", "CPhaseABI"]),
    .library(name: "Example", type: .dynamic, targets: ["Example"]),
    .library(name: "HashFile", type: .dynamic, targets: ["HashFile"]),
    .library(name: "CountLines", type: .dynamic, targets: ["CountLines"]),
    // For tests only; a product, because only products become shared objects.
    .library(name: "FixturePlugin", type: .dynamic, targets: ["FixturePlugin"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.31.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.9.0"),
  ],
  targets: [
    // Libraries of the system. No pkgConfig: Debian's .pc files carry flags that SwiftPM prohibits with a warning.
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

    // The boundary between host and plugins.
    .target(name: "CPhaseABI"),
    .target(name: "CPluginNote", dependencies: ["CPhaseABI"], cSettings: swiftVersionForC),
    .target(name: "CHostProcess", cSettings: swiftVersionForC),
    room("PhaseKit", ["CPhaseABI", "CPluginNote"]),

    // Pure values.
    room("PipelineModel"),
    room("PhaseSettings", ["CRE2"]),
    room("ControlProtocol"),
    room("WireProtocol", ["PipelineModel", "CZlib", "CSimdJSON"]),

    // Storage. JobStorage cannot import a driver.
    room("JobStorage", ["PipelineModel", deque, heap]),
    // What every store must do; no test framework inside, and no driver.
    room("JobStorageContract", ["JobStorage", "PipelineModel"]),
    room("JobStorageSQLite", ["JobStorage", "PipelineModel", "CSQLite"]),
    room("JobStorageRedis", ["JobStorage", "PipelineModel", "CHiredis"]),

    // Processes and sockets.
    .target(name: "CAcceptLimit"),
    .target(name: "CStoppedInput"),
    room("ZeroMQTransport", ["WireProtocol", "CZeroMQ", "CAcceptLimit", "CStoppedInput"]),
    // HostProtocol: frames between a process and its PluginHost child. HostSupervision: spawns, feeds and reaps the
    // child. PhaseHosting: the child's side, the only room that dlopens.
    room("HostProtocol"),
    room("HostSupervision", ["CHostProcess", "HostProtocol"]),
    room("PhaseHosting", ["CPhaseABI", "CHostProcess", "HostProtocol", "PipelineModel"]),
    room("PluginCatalog", ["HostProtocol", "HostSupervision", "CHostProcess", "CCrypto"]),
    room(
      "Coordination",
      [
        "JobStorage", "PipelineModel", "PhaseSettings", "ControlProtocol", "WireProtocol", "ZeroMQTransport",
        "HostProtocol", "HostSupervision", logging, deque, heap,
      ]),
    room(
      "PhaseServing",
      [
        "PipelineModel", "PhaseSettings", "WireProtocol", "ZeroMQTransport", "HostProtocol", "HostSupervision",
        "PluginCatalog", logging, deque,
      ]),
    room("PipelineAccess", ["PipelineModel", "ControlProtocol", "WireProtocol", "ZeroMQTransport"]),

    // The page's files, inside the program. The compiler's own #embed, because a bundle would have to be found at run time.
    .target(name: "CWebPage", exclude: ["page"]),
    room(
      "WebDashboard",
      [
        "PipelineAccess", "ControlProtocol", "PipelineModel", "PluginCatalog", "WireProtocol", "CWebPage", logging,
        hummingbird, httpTypes,
        nioCore, nioHTTPTypes,
      ]),

    // What embedding programs import.
    room(
      "CarbonTube",
      [
        "Coordination", "PhaseServing", "PipelineAccess", "PluginCatalog", "JobStorage", "JobStorageSQLite",
        "JobStorageRedis", "PipelineModel", "PhaseSettings", "ControlProtocol", "WireProtocol", "ZeroMQTransport",
        "HostProtocol", "HostSupervision", logging, metrics, serviceLifecycle,
      ]),

    // The command line, for a program of its own with further stores.
    room(
      "CarbonTubeCommand",
      [
        "CarbonTube", "Coordination", "PhaseServing", "PipelineAccess", "PluginCatalog", "JobStorage", "PipelineModel",
        "PhaseSettings", "ControlProtocol", "WireProtocol", "ZeroMQTransport", "HostProtocol", "HostSupervision",
        "WebDashboard",
        argumentParser, logging,
      ]),

    .executableTarget(name: "carbontube", dependencies: ["CarbonTubeCommand"], swiftSettings: strict),
    .executableTarget(name: "carbontube-plugin-host", dependencies: ["PhaseHosting"], swiftSettings: strict),

    // One phase that two plugins carry; no plugin itself.
    .target(
      name: "FileHashing", dependencies: ["PhaseKit", "CCrypto"], path: "Plugins/FileHashing", swiftSettings: strict),
    plugin("Example", ["PhaseKit", "CPhaseABI", "FileHashing"]),
    plugin("HashFile", ["PhaseKit", "CPhaseABI", "FileHashing"]),
    .target(
      name: "CountLines", dependencies: ["CPhaseABI"], path: "Plugins/CountLines",
      linkerSettings: pluginLinking + [.linkedLibrary("jansson")]),

    .target(
      name: "PluginTestKit", dependencies: ["HostProtocol", "HostSupervision"], path: "Tests/PluginTestKit",
      swiftSettings: strict),
    .target(
      name: "FixturePlugin", dependencies: ["PhaseKit", "CPhaseABI"], path: "Tests/Fixtures/FixturePlugin",
      swiftSettings: strict, linkerSettings: pluginLinking),
    tests("PipelineModelTests", ["PipelineModel"]),
    tests("PhaseSettingsTests", ["PhaseSettings"]),
    tests("ZeroMQTransportTests", ["ZeroMQTransport"]),
    tests("WireProtocolTests", ["WireProtocol", "PipelineModel", "PluginTestKit"]),
    tests("ControlProtocolTests", ["ControlProtocol"]),
    tests(
      "CoordinationTests",
      ["Coordination", "ControlProtocol", "JobStorage", "PipelineModel", "WireProtocol", "ZeroMQTransport"]),
    tests(
      "PipelineAccessTests",
      [
        "PipelineAccess", "Coordination", "ControlProtocol", "JobStorage", "PipelineModel", "WireProtocol",
        "ZeroMQTransport", logging,
      ]),
    // One suite for all stores.
    tests(
      "JobStorageTests",
      ["JobStorage", "JobStorageContract", "JobStorageSQLite", "JobStorageRedis", "PipelineModel", "PluginTestKit"]),
    tests("HostProtocolTests", ["HostProtocol"]),
    tests("PhaseHostingTests", ["PhaseHosting", "CPhaseABI", "HostProtocol"]),
    tests("HostSupervisionTests", hostChildren + ["CHostProcess"]),
    tests("PhaseKitTests", hostChildren + ["PhaseKit"]),
    tests("ExamplePluginTests", hostChildren),
    tests("PluginCatalogTests", hostChildren + ["PluginCatalog"]),

    tests("WebDashboardTests", ["WebDashboard"]),
    tests(
      "PhaseServingTests",
      [
        "PhaseServing", "Coordination", "PluginCatalog", "HostProtocol", "HostSupervision", "PipelineModel",
        "WireProtocol",
      ]),
    tests(
      "ServingTests",
      hostChildren + [
        "Coordination", "PhaseServing", "PluginCatalog", "JobStorage", "JobStorageSQLite", "PipelineAccess",
        "PipelineModel",
        "WireProtocol", "ZeroMQTransport", logging,
      ]),
    tests(
      "EndToEndTests",
      [
        "carbontube", "carbontube-plugin-host", "CarbonTube", "CarbonTubeCommand", "ControlProtocol", "HostProtocol",
        "PipelineAccess", "PipelineModel", "WireProtocol", "PluginTestKit", logging, serviceLifecycle,
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ],
      exclude: ["Resources"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)

// The fuzzers need flags for every module they look into, which are the command's (scripts/sanitize): no target of the
// package as others see it.
if Context.environment["CARBONTUBE_FUZZERS"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzzers",
      dependencies: [
        "WireProtocol", "HostProtocol", "PluginCatalog", "JobStorage", "JobStorageSQLite", "JobStorageRedis",
        "PipelineModel",
      ], path: "Tests/Fuzzers", exclude: ["Corpus"], swiftSettings: strict))
}

if isSanitized {
  package.targets.removeAll { ["EndToEndTests", "WebDashboardTests"].contains($0.name) }
}
