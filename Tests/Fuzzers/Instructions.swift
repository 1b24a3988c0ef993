import WireProtocol

extension FuzzTarget {
  /// Payload frames: JSON, or a zlib stream of it. A byte of 0 parts a job's instructions from a phase's result.
  static let instructions = FuzzTarget(name: "instructions", seeds: instructionSeeds) { bytes in
    let halves = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    if halves.count == 2 { merge(halves[1], into: halves[0]) }
    checkPayload(bytes)
    checkCompression(of: bytes)
  }
}

private func isObject(_ text: [UInt8]) -> Bool { (try? InstructionsJSON.check(text)) != nil }

private func merge(_ result: [UInt8], into base: [UInt8]) {
  let merged = try? InstructionsJSON.merging(result, into: base)
  expect((merged != nil) == (isObject(base) && isObject(result)), "merged what is no object, or refused what is one")
  guard let merged else { return }
  expect(isObject(merged), "the merged instructions are no object")
  let again = try? InstructionsJSON.merging(result, into: merged)
  expect(again == merged, "the same result merged twice changes the instructions")
}

private func checkPayload(_ payload: [UInt8]) {
  let limit = 1 << 16
  guard let json = try? CompressedJSON.json(in: payload, maximumBytes: limit) else { return }
  expect(json.count <= limit, "a payload grew beyond its limit")
  guard isObject(json) else { return }
  let again = try? CompressedJSON.json(in: CompressedJSON.payload(for: json), maximumBytes: limit)
  expect(again == json, "instructions changed on the way")
}

private func checkCompression(of bytes: [UInt8]) {
  let again = try? CompressedJSON.json(in: CompressedJSON.compress(bytes), maximumBytes: bytes.count)
  expect(again == bytes, "bytes changed by compressing them")
}

private func instructionSeeds() -> [[UInt8]] {
  let texts = [
    #"{"a":1,"b":[true,null,"é😀"],"c":{"d":-1.5e300}}"#, #"{}"#, #"{"n":18446744073709551615,"m":1.0}"#,
    #" { "esc\u0061ped" : "\"\\\n" } "#, #"{"a":1,"a":2}"#, "[[[[]]]]", "{\"a\":",
  ]
  let pairs = zip(texts, texts.dropFirst()).map { Array($0.utf8) + [0] + Array($1.utf8) }
  let long = Array("{\"text\":\"\(String(repeating: "again ", count: 300))\"}".utf8)
  return texts.map { Array($0.utf8) } + pairs + [CompressedJSON.compress(long), CompressedJSON.compress([])]
}
