/// Who may do what. Everything that is shown may be read by whoever reaches the server; everything that changes something
/// needs the token, unless the server is bound to loopback and was given none.
struct AccessPolicy: Sendable {
  /// What must be the same as after `Authorization: Bearer`.
  var token: String?
  var isReadOnly: Bool
  /// Bound to an address that only this machine reaches.
  var isLoopback: Bool

  /// What a request says about itself, in its headers.
  struct Claims {
    var changesState: Bool
    var host: String?
    var origin: String?
    var fetchSite: String?
    var authorization: String?
    var contentType: String?
    var hasBody: Bool
  }

  enum Verdict: Hashable {
    case allowed
    /// Who sends it may send it again with a token.
    case unauthorized(String)
    case forbidden(String)
    case unsupportedMediaType(String)
  }

  func verdict(on claims: Claims) -> Verdict {
    // A page elsewhere whose name was made to point here (DNS rebinding) would be of the same origin.
    if isLoopback, let host = claims.host, !Self.isLoopback(hostOf: host) {
      return .forbidden("'\(host)' is not a name of this machine's loopback interface")
    }
    guard claims.changesState else { return .allowed }
    if let reason = crossSite(claims) { return .forbidden(reason) }
    if isReadOnly { return .forbidden("this server only shows: it was started with --read-only") }
    if let token {
      guard let given = claims.authorization, Self.isSame(given, "Bearer \(token)") else {
        return .unauthorized("this needs the token of the server's --token-file")
      }
    } else if !isLoopback {
      return .forbidden("this server only shows: it is bound beyond loopback and was started without --token-file")
    }
    // What a form on another site can send without being asked is not JSON.
    if claims.hasBody, !Self.isJSON(claims.contentType) {
      return .unsupportedMediaType("the body must be JSON, with Content-Type: application/json")
    }
    return .allowed
  }

  /// The browser's own word on where a request comes from; programs send neither header.
  private func crossSite(_ claims: Claims) -> String? {
    if let site = claims.fetchSite, site != "same-origin", site != "none" {
      return "a page of another site cannot act here"
    }
    guard let origin = claims.origin else { return nil }
    let host = origin.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last.map(String.init)
    return host == claims.host ? nil : "a page of '\(origin)' cannot act here"
  }

  private static func isJSON(_ contentType: String?) -> Bool {
    let type = contentType?.split(separator: ";").first?.lowercased() ?? ""
    return ["application/json", "application/x-ndjson"].contains(type.filter { $0 != " " })
  }

  /// - Parameter host: as in the header, perhaps with a port.
  static func isLoopback(hostOf host: String) -> Bool {
    let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
    return name == "localhost" || name == "[::1]" || name == "::1" || isLoopback(address: name)
  }

  /// All of 127.0.0.0/8.
  static func isLoopback(address: String) -> Bool {
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Takes as long wherever the difference is.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
