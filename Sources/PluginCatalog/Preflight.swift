import CHostProcess

/// What the file's headers say, read without loading it.
struct PreflightReport: Hashable {
  let abiMajor: UInt32
  let abiMinor: UInt32
  /// 0 for a plugin that does not need Swift's runtime.
  let swiftVersion: UInt32
}

/// Finds, without running any of its code, whether the file is a whole shared object for this machine with a plugin's
/// note that fits this program. The loader itself dies of files that were cut short, and a constructor runs before any
/// check that comes after loading.
func preflight(_ file: borrowing OpenedFile) throws(PluginRefusal) -> PreflightReport {
  guard file.size <= maximumPluginBytes else {
    throw PluginRefusal(
      kind: .malformed, file: file.path,
      reason:
        "is \(file.size) bytes long; a plugin may have \(maximumPluginBytes) (512 MiB). Keep data in files of its own"
    )
  }
  let image = try ELFImage(file)
  guard let note = try image.pluginNote(in: file) else {
    throw PluginRefusal(
      kind: .notAPlugin, file: file.path,
      reason: "carries no CarbonTube note; plugins get it from PhaseKit (Swift) or CT_PLUGIN_NOTE (C and others)")
  }
  let report = PreflightReport(abiMajor: note[0], abiMinor: note[1], swiftVersion: note[2] & 1 == 0 ? 0 : note[3])
  guard report.abiMajor == supportedABIMajor else {
    throw PluginRefusal(
      kind: .incompatible(have: "ABI \(report.abiMajor)", want: "ABI \(supportedABIMajor)"), file: file.path,
      reason: "is built for plugin ABI \(report.abiMajor), this program speaks \(supportedABIMajor); rebuild it")
  }
  let ours = host_swift_version()
  guard report.swiftVersion == 0 || report.swiftVersion == ours else {
    let have = swiftName(report.swiftVersion)
    let want = swiftName(ours)
    throw PluginRefusal(
      kind: .incompatible(have: have, want: want), file: file.path,
      reason: "is built with \(have), this program with \(want); rebuild it with the same compiler")
  }
  return report
}

/// What is copied into the state folder must not fill the disk; a sparse file can be larger than that.
private let maximumPluginBytes = 512 << 20

/// CT_ABI_MAJOR of the header that the plugin hosts of this build speak.
private let supportedABIMajor: UInt32 = 1

private func swiftName(_ version: UInt32) -> String { "Swift \(version / 100).\(version % 100)" }
