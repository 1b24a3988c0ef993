/// What is wrong with bytes that came from the other side.
public struct FrameError: Error, Hashable, CustomStringConvertible {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}

/// The body of one frame, its length prefix taken off.
public typealias FrameBody = ArraySlice<UInt8>

/// Collects bytes as they come from a stream and gives them back as whole frames. A frame is its length as a 32-bit
/// little-endian number, then that many bytes, of which the first says what kind it is.
public struct FrameBuffer: Sendable {
  /// The largest body that either side sends or takes: room for instructions of 16 MiB and what travels with them.
  public static let maximumBodyLength = 20 << 20

  private let limit: Int
  private var bytes: [UInt8] = []
  private var start = 0

  /// - Parameter limit: the largest body that is taken.
  public init(limit: Int = FrameBuffer.maximumBodyLength) {
    self.limit = limit
  }

  public mutating func append(_ new: UnsafeRawBufferPointer) {
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
      start = 0
    } else if start > 1 << 16 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    bytes.append(contentsOf: new)
  }

  /// The next whole frame; nil where more bytes are needed.
  /// - Throws: where the length cannot be true. The stream cannot be read any further.
  public mutating func next() throws(FrameError) -> FrameBody? {
    guard bytes.count - start >= 4 else { return nil }
    var length = 0
    for index in 0..<4 { length |= Int(bytes[start + index]) << (8 * index) }
    guard length > 0 else { throw FrameError("an empty frame") }
    guard length <= limit else { throw FrameError("a frame of \(length) bytes; the limit is \(limit)") }
    guard bytes.count - start - 4 >= length else { return nil }
    let body = bytes[start + 4..<start + 4 + length]
    start += 4 + length
    return body
  }
}
