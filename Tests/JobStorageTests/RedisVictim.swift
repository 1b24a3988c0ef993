import Foundation
import Testing

/// A redis-server that a test may hurt: settings of its own, an administrator's connection through redis-cli.
final class RedisVictim {
  let folder: String
  private let process = Process()
  let socket: String
  private let arguments: [String]

  init(_ arguments: [String] = []) throws {
    folder = "/tmp/carbontube-victim-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    socket = "\(folder)/redis.sock"
    self.arguments = arguments
    try start(process)
  }

  private func start(_ process: Process) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
    process.arguments = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""] + arguments
    process.standardOutput = output
    try process.run()
    var said = ""
    while !said.contains("eady to accept connections") {
      let data = output.fileHandleForReading.availableData
      try #require(!data.isEmpty, "redis-server did not start: \(said)")
      said += String(decoding: data, as: UTF8.self)
    }
  }

  /// The server's answer to an administrator.
  @discardableResult
  func ask(_ words: String...) throws -> String { try ask(words) }

  @discardableResult
  func ask(_ words: [String]) throws -> String {
    let client = Process()
    let output = Pipe()
    client.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
    client.arguments = ["-s", socket] + words
    client.standardOutput = output
    client.standardError = FileHandle.nullDevice
    try client.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    client.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  var processID: Int32 { process.processIdentifier }

  func kill9() {
    kill(processID, SIGKILL)
    process.waitUntilExit()
  }

  func restart() throws -> Process {
    let again = Process()
    try start(again)
    return again
  }

  deinit {
    if process.isRunning { kill(processID, SIGKILL) }
    try? FileManager.default.removeItem(atPath: folder)
  }
}
