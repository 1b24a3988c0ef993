import Foundation
import PluginCatalog
import PluginTestKit
import Testing

/// A host that counts how often it was started shows what is known from before.
@Suite struct ScanCacheTests {
  private let folder: TemporaryFolder
  private let catalog: PluginCatalog

  init() throws {
    folder = try TemporaryFolder()
    let host = folder.path + "/counting-host"
    try "#!/bin/sh\necho start >> '\(folder.path)/starts'\nexec '\(buildFolder)/carbontube-plugin-host' \"$@\"\n"
      .write(toFile: host, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: host)
    catalog = PluginCatalog(stateFolder: folder.path + "/state", hostExecutable: host)
  }

  private var starts: Int {
    ((try? String(contentsOfFile: folder.path + "/starts", encoding: .utf8)) ?? "").split(separator: "\n").count
  }

  @Test func looksOnceAtAFileAndAtItsContent() throws {
    let file = "\(buildFolder)/libExample.so"
    let first = catalog.describe(file: file)
    #expect(first.state == .ok)
    #expect(starts == 1)
    #expect(catalog.describe(file: file) == first)
    #expect(catalog.describe(file: file, cached: .asFound) == first)
    #expect(starts == 1)
    let copy = folder.path + "/libCopy.so"
    try FileManager.default.copyItem(atPath: file, toPath: copy)
    #expect(catalog.describe(file: copy).phases == first.phases)
    #expect(starts == 1)
    #expect(catalog.describe(file: file, cached: .ignored) == first)
    #expect(starts == 2)
  }

  /// Nanoseconds since 1970 leave 64 bits in the year 2262.
  @Test func describesAFileOfAnyYear() throws {
    let copy = folder.path + "/libOfAnotherYear.so"
    try FileManager.default.copyItem(atPath: "\(buildFolder)/libExample.so", toPath: copy)
    for seconds in [-2_000_000_000, 13_000_000_000, 253_000_000_000] {
      let time = timespec(tv_sec: seconds, tv_nsec: 999_999_999)
      #expect(utimensat(AT_FDCWD, copy, [time, time], 0) == 0)
      #expect(catalog.describe(file: copy).state == .ok)
    }
  }

  @Test func doesNotTrustACopyThatWasChanged() throws {
    let file = "\(buildFolder)/libExample.so"
    let first = catalog.describe(file: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: first.stagedPath)
    let copy = try #require(FileHandle(forWritingAtPath: first.stagedPath))
    try copy.write(contentsOf: Data(repeating: 0, count: 64))
    try copy.close()
    #expect(catalog.describe(file: file) == first)
    let healed = try Data(contentsOf: URL(fileURLWithPath: first.stagedPath))
    #expect(healed == (try Data(contentsOf: URL(fileURLWithPath: file))))
  }

  @Test func seesAChangedFile() throws {
    let file = folder.path + "/libX.so"
    try FileManager.default.copyItem(atPath: "\(buildFolder)/libExample.so", toPath: file)
    let first = catalog.describe(file: file)
    try Data("no plugin".utf8).write(to: URL(fileURLWithPath: file))
    #expect(catalog.describe(file: file).state.word == "invalid")
    #expect(first.state == .ok)
  }
}
