/// Something that reads bytes of others. A run ends well with any input; what it finds is a trap.
struct FuzzTarget: Sendable {
  let name: String
  /// Real encodings, from which libFuzzer starts. They are kept in Corpus.
  let seeds: @Sendable () -> [[UInt8]]
  let run: @Sendable ([UInt8]) -> Void
}

/// A finding.
func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) {
  guard holds else { fatalError(sentence()) }
}

/// What can be read is read again as the same from what is written of it.
func expectRoundTrip<Value: Equatable>(
  _ bytes: [UInt8], decode: ([UInt8]) throws -> Value, encode: (Value) -> [UInt8]
) {
  guard let value = try? decode(bytes) else { return }
  guard let again = try? decode(encode(value)) else { fatalError("cannot be read once written: \(value)") }
  expect(again == value, "changed by writing and reading: \(value) became \(again)")
}
