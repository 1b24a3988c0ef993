/// Writes one frame: kind, then fields. Numbers are little-endian; texts and byte strings carry a 32-bit length.
struct FrameWriter {
  private(set) var bytes: [UInt8]

  init(kind: UInt8, reserving capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity + 5)
    for _ in 0..<4 { bytes.append(0) }
    bytes.append(kind)
  }

  mutating func number<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func byteString(_ value: [UInt8]) {
    number(UInt32(clamping: value.count))
    bytes.append(contentsOf: value)
  }

  mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { utf8 in
      number(UInt32(clamping: utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  mutating func optional<Value>(_ value: Value?, _ write: (inout FrameWriter, Value) -> Void) {
    number(UInt8(value == nil ? 0 : 1))
    if let value { write(&self, value) }
  }

  mutating func list<Element>(_ values: [Element], _ write: (inout FrameWriter, Element) -> Void) {
    number(UInt32(clamping: values.count))
    for value in values { write(&self, value) }
  }

  /// The frame with its length put in front.
  consuming func finish() -> [UInt8] {
    let length = UInt32(clamping: bytes.count - 4)
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
    return bytes
  }
}

/// Reads the fields of one frame. Every read checks its bounds: the other side may be a plugin gone wild.
struct FrameReader {
  private let bytes: FrameBody
  private var position: Int

  init(_ body: FrameBody) {
    bytes = body
    position = body.startIndex
  }

  private mutating func take(_ count: Int) throws(FrameError) -> FrameBody {
    guard count <= bytes.endIndex - position else { throw FrameError("a field goes past the end of its frame") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type = Number.self
  ) throws(FrameError) -> Number {
    let field = try take(MemoryLayout<Number>.size)
    return field.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
  }

  mutating func byteString() throws(FrameError) -> [UInt8] {
    let count = Int(try number(UInt32.self))
    return Array(try take(count))
  }

  mutating func text() throws(FrameError) -> String {
    let count = Int(try number(UInt32.self))
    // Nearly all are ASCII, and what is valid need not be validated: that is generic code, at ten times the cost.
    let text = try take(count).withUnsafeBufferPointer { bytes in
      bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }
    guard let text else { throw FrameError("a text is not UTF-8") }
    return text
  }

  mutating func flag() throws(FrameError) -> Bool {
    let value = try number(UInt8.self)
    guard value <= 1 else { throw FrameError("a yes-or-no field has the value \(value)") }
    return value == 1
  }

  mutating func optional<Value>(
    _ read: (inout FrameReader) throws(FrameError) -> Value
  ) throws(FrameError) -> Value? {
    try flag() ? try read(&self) : nil
  }

  /// - Parameter limit: the most elements that make sense, so that a wild count costs nothing.
  mutating func list<Element>(
    limit: Int, _ read: (inout FrameReader) throws(FrameError) -> Element
  ) throws(FrameError) -> [Element] {
    let count = Int(try number(UInt32.self))
    guard count <= limit else { throw FrameError("a list of \(count) elements; the limit is \(limit)") }
    var values: [Element] = []
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }

  mutating func choice<Choice: RawRepresentable>(
    _ type: Choice.Type = Choice.self
  ) throws(FrameError) -> Choice where Choice.RawValue == UInt8 {
    let value = try number(UInt8.self)
    guard let choice = Choice(rawValue: value) else { throw FrameError("a field with the unknown value \(value)") }
    return choice
  }

  func end() throws(FrameError) {
    guard position == bytes.endIndex else { throw FrameError("\(bytes.endIndex - position) bytes too many in a frame") }
  }
}
