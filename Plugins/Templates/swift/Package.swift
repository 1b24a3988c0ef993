// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "__NAME__",
  // Only a dynamic library becomes a shared object.
  products: [.library(name: "__MODULE__", type: .dynamic, targets: ["__MODULE__"])],
  dependencies: [.package(name: "sdk", path: Context.environment["CARBONTUBE_SDK"] ?? "__SDK__")],
  targets: [
    .target(name: "__MODULE__", dependencies: [.product(name: "PhaseKit", package: "sdk")]),
    .testTarget(name: "__MODULE__Tests", dependencies: ["__MODULE__", .product(name: "PhaseKit", package: "sdk")]),
  ],
  swiftLanguageModes: [.v6]
)
