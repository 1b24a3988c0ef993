// swift-tools-version: 6.2
import PackageDescription

// A store that is no part of CarbonTube, as its author would have it: a library, a `carbontube` that knows it, and the
// contract that says when it is done.
let package = Package(
  name: "shelf",
  dependencies: [.package(name: "carbontube", path: "../../..")],
  targets: [
    .target(name: "ShelfStore", dependencies: [.product(name: "JobStorage", package: "carbontube")]),
    .executableTarget(
      name: "shelf-contract",
      dependencies: ["ShelfStore", .product(name: "JobStorageContract", package: "carbontube")]),
    .executableTarget(
      name: "shelftube", dependencies: ["ShelfStore", .product(name: "CarbonTubeCommand", package: "carbontube")]),
  ]
)
