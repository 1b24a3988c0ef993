import Foundation
import Glibc
import PluginTestKit
import Testing

@Suite("Few open files are allowed", .timeLimit(.minutes(15)))
struct DescriptorTests {
  /// Starts a command whose hard limit of open files is `limit`.
  private func limited(to limit: Int, _ arguments: String, in folder: TemporaryFolder) throws -> Program {
    try Program(
      "/bin/sh", ["-c", "ulimit -n \(limit); exec \(buildFolder)/carbontube \(arguments)"], in: folder.path)
  }

  private func pipeline(_ options: String = "", at folder: TemporaryFolder) -> String {
    "pipeline \(Terminals.library) example-one --storage=memory: --sub-bind=ipc://\(folder.path)/events "
      + "--job-pull=ipc://\(folder.path)/intake \(options)"
  }

  @Test func `A command that cannot work within the limit says what it needs`() throws {
    let folder = try TemporaryFolder()
    let commands = [
      pipeline(at: folder), "web --bind 127.0.0.1:0",
      "phase \(Terminals.library) delete-file --concurrency 64 --sub-connect=ipc://\(folder.path)/events",
    ]
    for command in commands {
      let end = try limited(to: 32, command, in: folder).end()
      #expect(end.status == 78)
      #expect(end.complaint.split(separator: "\n").count == 1)
      #expect(end.complaint.contains("the limit is 32: raise it with ulimit -n"))
    }
  }

  @Test func `Connections never take the last descriptors of a coordinator or its page`() throws {
    let folder = try TemporaryFolder()
    let coordinator = try limited(to: 200, pipeline("--web --web-bind 127.0.0.1:0", at: folder), in: folder)
    let page = try coordinator.line(holding: "web http://")
    _ = try coordinator.line(holding: "pipeline example-one")
    let port = try #require(page.split(separator: ":").last.flatMap { UInt16($0) })
    let flood = (0..<400).map { number in
      number % 2 == 0 ? connection(toPort: port) : connection(to: "\(folder.path)/intake")
    }
    _ = try coordinator.complaint(holding: "too many connections: ")
    // libdispatch looks at its threads once a second, and would have ended the process.
    let status = ["status", "--address=ipc://\(folder.path)/intake"]
    #expect(try Program.run(status, in: folder.path).status == 0)
    for descriptor in flood { close(descriptor) }
    #expect(try Program.run(status, in: folder.path).status == 0)
    coordinator.send(SIGTERM)
    #expect(try coordinator.end().status == 0)
  }

  /// So nobody can take its descriptors, and nothing has to be opened to it.
  @Test func `A worker listens nowhere, whatever it is told`() throws {
    let folder = try TemporaryFolder()
    let coordinator = try Program(
      "carbontube", pipeline(at: folder).split(separator: " ").map(String.init), in: folder.path)
    let worker = try limited(
      to: 64,
      "phase \(Terminals.library) delete-file --sub-connect=ipc://\(folder.path)/events "
        + "--pull-bind=ipc://\(folder.path)/orders --advertise=tcp://127.0.0.1:1", in: folder)
    _ = try worker.complaint(holding: "serving delete-file for pipeline example-one")
    #expect(try listeners(of: worker.processID) == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/orders"))
    #expect(try listeners(of: coordinator.processID) == 2)
    for program in [worker, coordinator] {
      program.send(SIGTERM)
      #expect(try program.end().status == 0)
    }
  }

  /// Sockets of a process that others can connect to.
  private func listeners(of process: Int32) throws -> Int {
    let tables = try ["tcp", "tcp6", "unix"].flatMap { name in
      String(decoding: try contents(of: "/proc/\(process)/net/\(name)"), as: UTF8.self).split(separator: "\n").map {
        (words: $0.split(separator: " "), isUnix: name == "unix")
      }
    }
    // proc(5): a listening TCP socket is in state 0A, a listening Unix one has the flag __SO_ACCEPTCON.
    let listening = tables.filter { row in
      row.isUnix
        ? row.words.count > 6 && row.words[3] == "00010000" : row.words.count > 9 && row.words[3] == "0A"
    }.map { row in "socket:[\(row.isUnix ? row.words[6] : row.words[9])]" }
    let folder = "/proc/\(process)/fd"
    let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
    }
    return Set(listening).intersection(open).count
  }

  private func connection(toPort port: UInt16) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return connection(AF_INET, address)
  }

  private func connection(to path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return connection(AF_UNIX, address)
  }

  private func connection<Address>(_ family: Int32, _ address: Address) -> Int32 {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    return descriptor
  }
}
