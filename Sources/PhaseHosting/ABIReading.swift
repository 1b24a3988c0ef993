import CPhaseABI

/// A struct that begins with `struct_size` as its producer compiled it.
protocol SizedStruct {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  var struct_size: UInt32 { get }
}

extension ct_plugin: SizedStruct {}
extension ct_phase: SizedStruct {}
extension ct_pipeline: SizedStruct {}

extension UnsafePointer where Pointee: SizedStruct {
  /// The field, or nil where the producer's struct ends before it: CT_HAS of carbontube.h. Reads nothing but the size
  /// and the field, because the memory behind a shorter struct is not ours.
  func field<Field>(_ path: KeyPath<Pointee, Field>) -> Field? {
    guard let offset = MemoryLayout<Pointee>.offset(of: path) else { return nil }
    let base = UnsafeRawPointer(self)
    let size = base.load(as: UInt32.self)
    guard offset + MemoryLayout<Field>.size <= Int(size) else { return nil }
    return base.load(fromByteOffset: offset, as: Field.self)
  }

  /// The text, or nil where the field is missing, NULL or not UTF-8.
  func text(_ path: KeyPath<Pointee, UnsafePointer<CChar>?>) -> String? {
    guard let pointer = field(path) ?? nil else { return nil }
    return String(validatingCString: pointer)
  }
}

extension ct_str {
  /// The text, cut at `limit` bytes; what is not UTF-8 is replaced.
  func text(limit: Int) -> String {
    guard let ptr else { return "" }
    let count = Swift.min(len, limit)
    return String(decoding: UnsafeRawBufferPointer(start: ptr, count: count), as: UTF8.self)
  }
}
