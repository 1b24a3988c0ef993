// swift-tools-version: 6.2
import PackageDescription

// What authors of Swift plugins build against: PhaseKit, the C header and the ELF note, without the rest of CarbonTube
// and without anything from the network. scripts/sdk puts it together.

// As in CarbonTube's own manifest: a plugin's note carries the version of its compiler.
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

let package = Package(
  name: "sdk",
  products: [.library(name: "PhaseKit", targets: ["PhaseKit", "CPhaseABI"])],
  targets: [
    .target(name: "CPhaseABI"),
    .target(
      name: "CPluginNote", dependencies: ["CPhaseABI"], cSettings: [.define("CT_SWIFT_VERSION", to: swiftVersion)]),
    .target(
      name: "PhaseKit", dependencies: ["CPhaseABI", "CPluginNote"],
      swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
