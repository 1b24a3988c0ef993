public import CPhaseABI
import FileHashing
import PhaseKit

let plugin = Plugin(
  "org.carbontube.example", version: "1.0.0", summary: "Makes, hashes and deletes files",
  phases: [GenerateFile.self, CalculateHash.self, DeleteFile.self], pipelines: [ExampleOne.self])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func carbontube_plugin_v1(_ hostMinor: UInt32) -> UnsafePointer<ct_plugin>? { plugin.abi }
