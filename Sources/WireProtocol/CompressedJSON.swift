internal import CZlib

/// Payload frames: JSON text, or the zlib stream (RFC 1950) of JSON text. The first byte tells which: a zlib stream
/// begins with 0x78, an object never does.
public enum CompressedJSON {
  /// Shorter texts are sent as they are: below this size compressing costs more than it saves.
  public static let threshold = 1024

  /// Decompression stops with an error beyond this many bytes, unless the caller names another cap.
  public static let defaultMaximumBytes = 16 << 20

  private static let zlibFirstByte: UInt8 = 0x78

  public static func isCompressed(_ payload: [UInt8]) -> Bool { payload.first == zlibFirstByte }

  /// The payload frame for `json`: compressed from `threshold` bytes up and where that makes it smaller.
  public static func payload(for json: [UInt8]) -> [UInt8] {
    guard json.count >= threshold else { return json }
    let compressed = compress(json)
    return compressed.count < json.count ? compressed : json
  }

  /// The JSON text in a payload frame.
  ///
  /// - Throws: where the stream is damaged or cut, or would grow beyond `maximumBytes`.
  public static func json(
    in payload: [UInt8], maximumBytes: Int = defaultMaximumBytes
  ) throws(InstructionsError) -> [UInt8] {
    guard isCompressed(payload) else {
      guard payload.count <= maximumBytes else { throw tooLarge(maximumBytes) }
      return payload
    }
    return try decompress(payload, maximumBytes: maximumBytes)
  }

  /// `json` as a zlib stream at zlib's fastest level, whatever its size.
  public static func compress(_ json: [UInt8]) -> [UInt8] {
    let bound = Int(compressBound(uLong(json.count)))
    return [UInt8](unsafeUninitializedCapacity: bound) { out, count in
      var length = uLongf(bound)
      let status = json.withUnsafeBufferPointer {
        compress2(out.baseAddress, &length, $0.baseAddress, uLong(json.count), Z_BEST_SPEED)
      }
      count = status == Z_OK ? Int(length) : 0
    }
  }

  /// Grows the output step by step, so that a small frame which claims to be huge costs no more than its cap.
  static func decompress(_ payload: [UInt8], maximumBytes: Int) throws(InstructionsError) -> [UInt8] {
    var stream = z_stream()
    guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw InstructionsError(message: "zlib could not be started")
    }
    defer { inflateEnd(&stream) }
    var output: [UInt8] = []
    var input = payload
    var chunk = [UInt8](repeating: 0, count: min(max(4 * payload.count, 4096), 1 << 20))
    let status = input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = uInt(input.count)
      return chunk.withUnsafeMutableBufferPointer { chunk in
        inflate(&stream, through: chunk, into: &output, maximumBytes: maximumBytes)
      }
    }
    guard output.count <= maximumBytes else { throw tooLarge(maximumBytes) }
    guard status == Z_STREAM_END, stream.avail_in == 0 else {
      throw InstructionsError(message: "payload is not a whole zlib stream")
    }
    return output
  }

  private static func inflate(
    _ stream: inout z_stream, through chunk: UnsafeMutableBufferPointer<UInt8>, into output: inout [UInt8],
    maximumBytes: Int
  ) -> Int32 {
    while true {
      stream.next_out = chunk.baseAddress
      stream.avail_out = uInt(chunk.count)
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      output.append(contentsOf: chunk[..<(chunk.count - Int(stream.avail_out))])
      guard status == Z_OK, output.count <= maximumBytes else { return status }
    }
  }

  private static func tooLarge(_ maximumBytes: Int) -> InstructionsError {
    InstructionsError(message: "instructions are larger than the limit of \(maximumBytes) bytes")
  }
}
