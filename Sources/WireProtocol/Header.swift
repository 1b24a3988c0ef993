/// A header frame that is not one of ours, in words for the log. Nothing is ever done on behalf of such a message.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
  public let message: String
  public var description: String { message }
  public init(_ message: String) { self.message = message }
}

/// The four bytes every header frame begins with: `C`, `T`, the version, the kind. docs/wire-protocol.md.
public enum Prologue {
  public static let version: UInt8 = 2
  public static let length = 4
  /// What every header begins with.
  static let start: [UInt8] = [0x43, 0x54, version]

  /// - Throws: where the frame is too short, foreign, of another version or of an unknown kind.
  public static func kind(of frame: [UInt8]) throws(WireError) -> MessageKind {
    guard frame.count >= length else { throw WireError("a header of \(frame.count) bytes; it has at least \(length)") }
    guard frame[0] == 0x43, frame[1] == 0x54 else { throw WireError("a header that does not begin with 'CT'") }
    guard frame[2] == version else {
      throw WireError("protocol \(frame[2]) is spoken there, protocol \(version) here; one side must be upgraded")
    }
    guard let kind = MessageKind(rawValue: frame[3]) else { throw WireError("unknown message kind \(frame[3])") }
    return kind
  }
}

/// What a message is. 16…31: from a coordinator to a worker, 32…47: from a worker to a coordinator, 48…63: answers to
/// those, 64…79: requests of clients, 80…95: answers to those.
public enum MessageKind: UInt8, Sendable, CaseIterable {
  case welcome = 16
  case jobs = 17
  case cancel = 18
  case recall = 19
  case drain = 20
  case demand = 21
  case refused = 22
  case release = 23
  case results = 32
  case began = 33
  case hello = 34
  case goodbye = 35
  case credit = 36
  case progress = 37
  case log = 38
  case measures = 39
  case resultAck = 48
  case begin = 49
  case enqueue = 64
  case request = 65
  case enqueueReply = 80
  case reply = 81
}

/// Writes the fields of a header: LEB128 numbers, and texts with their length in front.
public struct HeaderWriter {
  public private(set) var bytes: [UInt8]

  public init(_ kind: MessageKind, reserving capacity: Int = 96) {
    bytes = []
    bytes.reserveCapacity(capacity)
    bytes.append(contentsOf: Prologue.start)
    bytes.append(kind.rawValue)
  }

  public mutating func put(byte: UInt8) { bytes.append(byte) }

  /// Unsigned LEB128: seven bits a byte, least significant first.
  public mutating func put(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  public mutating func put(_ number: Int) { put(UInt64(clamping: number)) }

  /// ZigZag, then LEB128: small numbers of either sign stay short.
  public mutating func put(signed number: Int64) { put(UInt64(bitPattern: (number << 1) ^ (number >> 63))) }

  /// IEEE 754 binary64, little-endian.
  public mutating func put(_ number: Double) {
    withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func put(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      put(UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }
}

/// Reads what `HeaderWriter` wrote, and believes nothing: every length is checked before it is used. What lies behind the
/// last field that a reader knows is passed over: later versions put their new fields there.
public struct HeaderReader {
  private let bytes: [UInt8]
  private var position: Int

  /// Starts behind the prologue, which the caller has checked with `Prologue.kind(of:)`.
  public init(_ frame: [UInt8]) {
    bytes = frame
    position = Prologue.length
  }

  /// Whoever sent it knows of no further field.
  var isAtEnd: Bool { position == bytes.count }

  public mutating func byte() throws(WireError) -> UInt8 {
    guard position < bytes.count else { throw WireError("a header that ends within a field") }
    defer { position += 1 }
    return bytes[position]
  }

  /// A byte that is 0 or 1.
  public mutating func flag() throws(WireError) -> Bool {
    let value = try byte()
    guard value <= 1 else { throw WireError("a flag of \(value); it is 0 or 1") }
    return value == 1
  }

  public mutating func number() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      let part = UInt64(next & 0x7f)
      guard shift < 63 || (shift == 63 && part <= 1) else { throw WireError("a number of more than 64 bits") }
      value |= part << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  public mutating func signed() throws(WireError) -> Int64 {
    let raw = try number()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// A number that must fit into `limit`, such as a count of things to follow.
  public mutating func count(atMost limit: Int) throws(WireError) -> Int {
    let raw = try number()
    guard raw <= UInt64(limit) else { throw WireError("a count of \(raw); at most \(limit) are allowed") }
    return Int(raw)
  }

  public mutating func double() throws(WireError) -> Double {
    guard bytes.count - position >= 8 else { throw WireError("a header that ends within a field") }
    var pattern: UInt64 = 0
    for offset in 0..<8 { pattern |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
    position += 8
    return Double(bitPattern: pattern)
  }

  public mutating func text(atMost limit: Int = 1024) throws(WireError) -> String {
    let length = try count(atMost: limit)
    guard bytes.count - position >= length else { throw WireError("a header that ends within a text") }
    let text = bytes.withUnsafeBufferPointer { all in
      Self.text(of: UnsafeBufferPointer(rebasing: all[position..<(position + length)]))
    }
    guard let text else { throw WireError("a text that is not UTF-8") }
    position += length
    return text
  }

  /// Nearly all texts are ASCII, and what is valid need not be validated: that is generic code, at ten times the cost.
  private static func text(of bytes: UnsafeBufferPointer<UInt8>) -> String? {
    bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
  }
}
