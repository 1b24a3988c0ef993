internal import ArgumentParser
internal import Glibc
internal import Logging
internal import WebDashboard

/// Where and to whom the web page is shown.
struct WebOptions {
  var bind: String
  var tokenFile: String?
  var isReadOnly = false
  var pluginFolders: [String] = []

  static let defaultBind = "127.0.0.1:8080"

  /// - Throws: for the command line, where `bind` is no address.
  static func hostAndPort(_ bind: String) throws -> (host: String, port: Int) {
    guard let colon = bind.lastIndex(of: ":"), let port = UInt16(bind[bind.index(after: colon)...]) else {
      throw ValidationError("'\(bind)' is not an address to listen on; write HOST:PORT, e.g. 127.0.0.1:8080")
    }
    var host = String(bind[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else { throw ValidationError("'\(bind)' names no host; write HOST:PORT, e.g. 0.0.0.0:8080") }
    return (host, Int(port))
  }

  func server(for pipelines: [String], logger: Logger) throws -> WebServer {
    var settings = WebServerSettings(pipelines: pipelines, logger: logger)
    (settings.host, settings.port) = try Self.hostAndPort(bind)
    settings.token = try tokenFile.map { try Self.token(in: $0) }
    settings.isReadOnly = isReadOnly
    settings.pluginFolders = pluginFolders.isEmpty ? PluginSearch.defaultFolders() : pluginFolders
    return WebServer(settings)
  }

  /// - Returns: where it listens.
  static func start(_ server: WebServer) throws(CommandFailure) -> String {
    do throws(WebServerError) {
      return try server.start()
    } catch {
      throw CommandFailure(.unavailable, error.description)
    }
  }

  private static let shortestToken = 16

  private static func token(in file: String) throws(CommandFailure) -> String {
    let token = String(decoding: try contents(of: file), as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard token.count == 1, token[0].utf8.count >= shortestToken,
      token[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else {
      throw CommandFailure(
        .configuration,
        "\(file) must hold one token of at least \(shortestToken) ASCII characters; make one with: openssl rand -hex 16"
      )
    }
    return String(token[0])
  }

  /// As far as a token can reach; a pipe or a device as well, as `--token-file <(pass show web)` gives one.
  private static func contents(of file: String) throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 12)
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    while bytes.count < part.count {
      let count = descriptor < 0 ? -1 : read(descriptor, &part, part.count)
      if count == 0 { break }
      guard count > 0 else {
        throw CommandFailure(
          .noInput, "\(file) cannot be read: \(String(cString: strerror(errno))); it must hold the token")
      }
      bytes += part[..<count]
    }
    return bytes
  }
}
