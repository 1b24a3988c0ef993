public import CPhaseABI
import FileHashing
import PhaseKit

let plugin = Plugin(
  "org.carbontube.hashfile", version: "1.0.0", summary: "Hashes files", phases: [CalculateHash.self])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func carbontube_plugin_v1(_ hostMinor: UInt32) -> UnsafePointer<ct_plugin>? { plugin.abi }
