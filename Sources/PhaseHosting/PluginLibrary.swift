import CHostProcess
import CPhaseABI
import Glibc
import HostProtocol

/// A plugin in this process. There is no way to unload it: code that a Swift runtime has seen must stay mapped
/// (docs/plugin-abi.md, "Never unloaded").
struct PluginLibrary: @unchecked Sendable {
  let handle: UnsafeMutableRawPointer
  let plugin: UnsafePointer<ct_plugin>

  /// Runs the constructors and the entry of the file.
  /// - Parameter path: absolute; a bare name would search LD_LIBRARY_PATH.
  init(loading path: String) throws(HostRefusalError) {
    guard path.hasPrefix("/") else {
      throw HostRefusalError(.hostMisuse, "is not named by an absolute path")
    }
    guard host_load_runtime_for(path) == 0, let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw HostRefusalError(.cannotLoad, "cannot be loaded: \(loaderError(about: path))")
    }
    self.handle = handle
    guard let symbol = dlsym(handle, CT_ENTRY_SYMBOL) else { throw missingEntry(in: handle) }
    let entry = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> UnsafePointer<ct_plugin>?).self)
    guard let plugin = entry(UInt32(CT_ABI_MINOR)) else {
      throw HostRefusalError(.refusedHost, "refuses this host (ABI \(CT_ABI_MAJOR).\(CT_ABI_MINOR))")
    }
    guard let major = plugin.field(\.abi_major) else {
      throw HostRefusalError(.malformedDescription, "describes itself with a ct_plugin of no size")
    }
    guard Int32(major) == CT_ABI_MAJOR else { throw otherMajor(Int(major)) }
    self.plugin = plugin
  }
}

/// A refusal on its way to the parent.
struct HostRefusalError: Error {
  let refusal: HostRefusal
  init(_ kind: HostRefusal.Kind, _ message: String, available: [String] = []) {
    refusal = HostRefusal(kind: kind, message: message, available: available)
  }
}

private func loaderError(about path: String) -> String {
  guard let text = dlerror() else { return "the loader gives no reason" }
  let reason = String(cString: text)
  return reason.hasPrefix("\(path): ") ? String(reason.dropFirst(path.count + 2)) : reason
}

private func missingEntry(in handle: UnsafeMutableRawPointer) -> HostRefusalError {
  for major in 2...9 where dlsym(handle, "carbontube_plugin_v\(major)") != nil { return otherMajor(major) }
  return HostRefusalError(
    .noEntrySymbol,
    "does not export \(CT_ENTRY_SYMBOL), the entry of a CarbonTube plugin; is it one, and is its entry public?")
}

private func otherMajor(_ major: Int) -> HostRefusalError {
  HostRefusalError(
    .otherABI, "is built for plugin ABI \(major), this host speaks \(CT_ABI_MAJOR); build it against this version")
}
