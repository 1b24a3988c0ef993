internal import FoundationEssentials

extension String {
  /// As one part of a URL's path.
  var urlPathPart: String {
    var components = URLComponents()
    components.path = "/" + self
    return String(components.percentEncodedPath.dropFirst()).replacing("/", with: "%2F")
  }

  /// Nil where it is not encoded as parts of a URL's path are.
  init?(urlPathPart part: String) {
    guard let path = URL(string: "http://host/\(part)")?.path(percentEncoded: false) else { return nil }
    self = String(path.dropFirst())
  }
}
