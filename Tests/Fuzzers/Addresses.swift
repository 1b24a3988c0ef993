import WireProtocol

@testable import JobStorageRedis
@testable import JobStorageSQLite

extension FuzzTarget {
  /// What people write for sockets and stores, and what coordinators make known.
  static let addresses = FuzzTarget(name: "addresses", seeds: addressSeeds) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    checkSocket(text, binding: true)
    checkSocket(text, binding: false)
    checkSQLite(text)
    checkRedis(text)
  }
}

private func checkSocket(_ text: String, binding: Bool) {
  let isGood = addressProblem(text, binding: binding) == nil
  if let port = parsePort(text) { expect((0...65535).contains(port), "port \(port)") }
  let replaced = replacingWildcardHost(in: text, with: "::1")
  guard isGood, text.hasPrefix("tcp://") else { return }
  expect(parseHost(text) != nil, "an address without a host is taken: \(text)")
  expect(binding || parsePort(text) != nil, "an address to connect to without a port is taken: \(text)")
  expect(addressProblem(replaced, binding: binding) == nil, "\(text) became \(replaced), which is none")
}

private func checkSQLite(_ text: String) {
  guard let address = try? SQLiteAddress(uri: text) else { return }
  expect(!address.path.isEmpty && !address.path.utf8.contains(0), "a path that names no file: \(text)")
  let again = try? SQLiteAddress(uri: address.text)
  expect(again?.path == address.path, "the address that is shown is another: \(address.text)")
}

private func checkRedis(_ text: String) {
  guard let address = try? RedisAddress(uri: text) else { return }
  expect(address.database >= 0, "database \(address.database)")
  expect(!address.shown.isEmpty, "an address that shows nothing")
  switch address.place {
  case .tcp(let host, let port):
    expect(!host.isEmpty && (1...65_535).contains(port), "no host or port: \(text)")
  case .unix(let path):
    expect(!path.isEmpty, "no path: \(text)")
  }
}

private func addressSeeds() -> [[UInt8]] {
  [
    "tcp://127.0.0.1:5050", "tcp://*:*", "tcp://0.0.0.0:0", "tcp://[::1]:65535", "tcp://[::]:80", "ipc:///tmp/socket",
    "inproc://name", "sqlite:/var/lib/jobs.db?synchronous=normal&busy_timeout=600000&max_bytes=1048576",
    "sqlite:jobs.db", "redis://user:p%40ss@host:6379/15", "redis://[::1]:6379?db=3", "redis+unix:///tmp/r.sock?db=2",
    "memory:",
  ].map { Array($0.utf8) }
}
