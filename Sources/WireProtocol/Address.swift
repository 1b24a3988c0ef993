/// The port in a ZeroMQ TCP address: `parsePort("tcp://host:5050")` is 5050; nil where there is none.
public func parsePort(_ address: String) -> Int? {
  guard let authority = tcpAuthority(address), let colon = authority.utf8.lastIndex(of: 0x3a) else { return nil }
  let digits = authority[authority.utf8.index(after: colon)...]
  guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
    (0...65535).contains(port)
  else { return nil }
  return port
}

/// The host in a ZeroMQ TCP address, without the brackets of an IPv6 one; nil where there is none.
public func parseHost(_ address: String) -> String? {
  guard let authority = tcpAuthority(address), let colon = authority.utf8.lastIndex(of: 0x3a) else { return nil }
  var host = authority[..<colon]
  if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
  return host.isEmpty ? nil : String(host)
}

private func tcpAuthority(_ address: String) -> Substring? {
  let scheme = "tcp://"
  guard address.hasPrefix(scheme) else { return nil }
  return address.dropFirst(scheme.count)
}

/// `address` with a wildcard host (`*`, `0.0.0.0`, `::`) replaced by `host`; any other address as it is.
public func replacingWildcardHost(in address: String, with host: String) -> String {
  guard let present = parseHost(address), ["*", "0.0.0.0", "::"].contains(present), let port = parsePort(address)
  else { return address }
  return "tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)"
}

/// Whether only this machine can connect to an address: by a socket of the file system, or a loopback host.
public func isLoopback(_ address: String) -> Bool {
  guard let host = parseHost(address) else { return true }
  return host == "localhost" || host == "::1" || host.hasPrefix("127.")
}

/// Why `address` is not one that a socket can be bound or connected to; nil where it is.
///
/// - Parameter binding: allows what only a bind can use: the host `*`, and port `*` or 0 for any free one.
public func addressProblem(_ address: String, binding: Bool) -> String? {
  let example = "for example tcp://127.0.0.1:5050"
  if address.hasPrefix("ipc://") || address.hasPrefix("inproc://") {
    let path = address.drop { $0 != "/" }.dropFirst(2)
    return path.isEmpty ? "address '\(address)' has no path; write \(example)" : nil
  }
  guard tcpAuthority(address) != nil else { return "address '\(address)' must begin with tcp:// or ipc://; \(example)" }
  guard let host = parseHost(binding ? withAnyPortAsZero(address) : address) else {
    return "address '\(address)' needs a host and a port; \(example)"
  }
  guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }) else {
    return "address '\(address)' has a host that is not one; \(example)"
  }
  guard let port = parsePort(binding ? withAnyPortAsZero(address) : address) else {
    return "address '\(address)' needs a port from 1 to 65535; \(example)"
  }
  if !binding && (port == 0 || host == "*") {
    return "address '\(address)' is one to bind, not one to connect to; \(example)"
  }
  return nil
}

private func withAnyPortAsZero(_ address: String) -> String {
  address.hasSuffix(":*") ? address.dropLast() + "0" : address
}
