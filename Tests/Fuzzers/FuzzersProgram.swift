import Glibc

/// `Fuzzers TARGET [libFuzzer's options and folders]`; `Fuzzers --targets`; `Fuzzers --seeds FOLDER`.
/// docs/testing.md tells of it.
@main
struct FuzzersProgram {
  static let targets: [FuzzTarget] = [
    .wireHeaders, .hostFrames, .instructions, .pluginNotes, .addresses, .storedRecords,
  ]

  static let chosen = targets.first { $0.name == CommandLine.arguments.dropFirst().first }

  static func main() {
    let arguments = CommandLine.arguments
    switch arguments.dropFirst().first {
    case "--targets": for target in targets { print(target.name) }
    case "--seeds" where arguments.count == 3: writeSeeds(into: arguments[2])
    default: fuzz()
    }
  }

  private static func fuzz() {
    guard chosen != nil else {
      let names = targets.map(\.name).joined(separator: ", ")
      fail("name a target (\(names)), or --targets, or --seeds FOLDER", code: 64)
    }
    // The target's name is ours, the rest is libFuzzer's.
    var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
    words.remove(at: 1)
    var count = Int32(words.count - 1)
    words.withUnsafeMutableBufferPointer { words in
      var first = words.baseAddress
      exit(runFuzzer(&count, &first, tryInput))
    }
  }

  private static func fail(_ sentence: String, code: Int32) -> Never {
    let line = Array("Fuzzers: \(sentence)\n".utf8)
    write(STDERR_FILENO, line, line.count)
    exit(code)
  }

  private static func writeSeeds(into folder: String) {
    for target in targets {
      mkdir("\(folder)/\(target.name)", 0o755)
      for (number, seed) in target.seeds().enumerated() {
        let path = "\(folder)/\(target.name)/seed-\(number)"
        guard let file = fopen(path, "w"), fwrite(seed, 1, seed.count, file) == seed.count, fclose(file) == 0 else {
          fail("cannot write \(path): \(String(cString: strerror(errno)))", code: 74)
        }
      }
    }
  }
}

/// Of libFuzzer: runs with the arguments of a command line until something is found or the time is over.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The name that libFuzzer's own `main` would call, which is not used but linked.
@_cdecl("LLVMFuzzerTestOneInput")
func tryInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  FuzzersProgram.chosen?.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
