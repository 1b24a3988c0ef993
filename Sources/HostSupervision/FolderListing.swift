import Glibc

/// The names of all that is left to read of an open folder, in no order, `.` and `..` among them.
public func names(in listing: OpaquePointer) -> [String] {
  var names: [String] = []
  while let entry = readdir(listing) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      })
  }
  return names
}
