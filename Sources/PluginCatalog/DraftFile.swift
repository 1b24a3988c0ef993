import Glibc

/// Makes a file of a name that nobody else has, for what is renamed once it is whole.
///
/// - Parameter template: a path that ends with `XXXXXX`, which become other letters.
/// - Returns: nil, and `errno` has the reason, where it cannot be made.
func makeDraft(_ template: String) -> (descriptor: Int32, path: String)? {
  var name = Array(template.utf8CString)
  let descriptor = mkstemp(&name)
  guard descriptor >= 0 else { return nil }
  return (descriptor, String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
}
