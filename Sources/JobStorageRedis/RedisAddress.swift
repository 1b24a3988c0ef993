internal import FoundationEssentials
internal import JobStorage

/// A Redis server as an address names it.
struct RedisAddress: Sendable {
  enum Endpoint: Sendable {
    case tcp(host: String, port: Int32)
    case unix(path: String)
  }

  var endpoint: Endpoint
  var user: String?
  var password: String?
  var database: Int

  /// `redis://[user[:password]@]host[:port][/db]` or `redis+unix://[user[:password]@]/path[?db=N]`; user and password
  /// percent-encoded.
  init(uri: String) throws(StoreError) {
    guard let parts = URLComponents(string: uri) else { throw Self.wrong("is not an address") }
    user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
    password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
    if let unknown = parts.queryItems?.first(where: { $0.name != "db" }) {
      throw Self.wrong("has an option '\(unknown.name)' that is not known; it may be db")
    }
    let option = parts.queryItems?.first { $0.name == "db" }?.value
    switch parts.scheme {
    case "redis":
      let host = parts.host ?? ""
      let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
      guard !bare.isEmpty else { throw Self.wrong("names no host") }
      guard (1...65_535).contains(parts.port ?? 6_379) else { throw Self.wrong("has a port that is not one") }
      endpoint = .tcp(host: bare, port: Int32(parts.port ?? 6_379))
      database = try Self.database(option ?? String(parts.path.drop { $0 == "/" }))
    case "redis+unix":
      guard parts.path.count > 1 else { throw Self.wrong("names no socket") }
      endpoint = .unix(path: parts.path)
      database = try Self.database(option ?? "")
    default: throw Self.wrong("has another scheme")
    }
  }

  private static func database(_ text: String) throws(StoreError) -> Int {
    guard !text.isEmpty else { return 0 }
    guard let number = Int(text), (0..<1_000_000).contains(number) else {
      throw wrong("has a database '\(text)' that is no number")
    }
    return number
  }

  private static func wrong(_ problem: String) -> StoreError {
    StoreError(
      .misconfigured, operation: "open",
      message: "the storage address redis:… \(problem); write redis://[user[:password]@]host[:port][/db] or "
        + "redis+unix:///path/to.sock[?db=N]")
  }

  /// Without user and password.
  var shown: String {
    switch endpoint {
    case .tcp(let host, let port):
      "redis://\(host.contains(":") ? "[\(host)]" : host):\(port)\(database == 0 ? "" : "/\(database)")"
    case .unix(let path): "redis+unix://\(path)\(database == 0 ? "" : "?db=\(database)")"
    }
  }
}
