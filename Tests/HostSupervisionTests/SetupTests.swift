import CHostProcess
import Glibc
import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

private let secret = "t0p-s3cret/token"

/// What a phase is given besides its jobs, in real children.
@Suite("What a child is given", .timeLimit(.minutes(15))) struct SetupTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func compiled(_ source: String, header: String, _ flags: [String] = []) throws -> String {
    let library = "\(folder.path)/lib\(flags.joined()).so"
    try compilePlugin(source, to: library, header: header, flags: ["-Wall", "-Werror"] + flags)
    return library
  }

  private func start(
    _ flags: [String] = [], settings: String = "{}", secrets: [String] = [], workDirectory: String? = nil
  ) throws -> PluginHost {
    try PluginHost(
      PluginHostConfiguration(
        library: compiled("SettingsPlugin/settings.c", header: "Sources/CPhaseABI/include", flags),
        role: .phase(jobType: "settings"), environment: ["GREET_TOKEN": secret, "LD_PRELOAD": "/evil.so"],
        settings: Array(settings.utf8), secrets: SecretValues(secrets), workDirectory: workDirectory))
  }

  private func output(_ host: PluginHost, _ instructions: String) throws -> String {
    let result = try host.result(of: job(instructions)).result
    return String(decoding: try #require(result.output, "\(result)"), as: UTF8.self)
  }

  @Test func `Settings and variables reach it, and no list of processes shows them`() throws {
    let host = try start(settings: #"{"greeting":"Moin","size":3}"#)
    #expect(try output(host, #"{"settings":1}"#) == #"{"greeting":"Moin","size":3}"#)
    #expect(try output(host, #"{"variable":1}"#) == #"{"variable":"\#(secret)"}"#)
    for process in [host.processID, try #require(host.pluginProcessID)] {
      for file in ["cmdline", "environ"] {
        let shown = String(decoding: try contents(of: "/proc/\(process)/\(file)"), as: UTF8.self)
        #expect(!shown.contains(secret) && !shown.contains("Moin") && !shown.contains("evil"))
      }
    }
  }

  @Test func `What describes itself says which settings it takes`() throws {
    guard case .value(.success(let library)) = try start().waitUntilReady(upTo: patience) else {
      throw Unexpected("not ready")
    }
    #expect(library.phases[0].settingsSchema?.contains(#""maximum":10"#) == true)
  }

  @Test func `What is more than a child takes in is refused in words`() throws {
    let error = #expect(throws: HostSpawnError.self) {
      _ = try start(settings: #"{"a":"\#(String(repeating: "x", count: 1 << 20))"}"#)
    }
    #expect(error?.description.contains("1048576 bytes") == true)
  }

  @Test func `Nothing that a child says shows a secret, but its results do`() throws {
    let host = try start(secrets: [secret])
    let (failed, before) = try host.result(of: job("{}"))
    #expect(failed.status == .permanent)
    #expect(failed.error == HostError(message: "the token is ***!", type: "***", location: "***"))
    #expect(before.contains(.log(token: 1, level: .info, message: "the token is ***!")))
    #expect(before.contains(.progress(token: 1, fraction: 0.5, note: "the token is ***!")))
    #expect(try output(host, #"{"variable":1}"#).contains(secret))
    host.run(job(#"{"crash":1}"#, token: 9))
    let exit = try host.exit()
    #expect(exit.signal == SIGABRT)
    let tail = host.standardErrorTail()
    #expect(tail.contains("the token is ***!") && !tail.contains(secret))
  }

  @Test func `One that cannot be made says why without the secret`() throws {
    let host = try start(settings: #"{"refuse":1}"#, secrets: [secret])
    guard case .value(.failure(let refusal)) = host.waitUntilReady(upTo: patience) else { throw Unexpected("ready") }
    #expect(refusal.kind == .initializationFailed && refusal.message.contains("*** opens nothing"))
  }

  // MARK: - Headers

  @Test func `A plugin that was built with the header of ABI 1.0 runs unchanged`() throws {
    let library = try compiled("Header-1.0/plugin.c", header: "Tests/Fixtures/Header-1.0")
    let host = try PluginHost(
      PluginHostConfiguration(
        library: library, role: .phase(jobType: "old"), settings: Array(#"{"new":1}"#.utf8)))
    #expect(try host.result(of: job("{}")).result.output == Array(#"{"made":true}"#.utf8))
  }

  @Test func `A plugin of a later minor version, whose structs have grown, runs as well`() throws {
    let host = try start(["-DNEWER"], settings: #"{"a":1}"#)
    guard case .value(.success(let library)) = host.waitUntilReady(upTo: patience) else {
      throw Unexpected("not ready")
    }
    #expect(library.abiMinor == 9)
    #expect(try output(host, #"{"settings":1}"#) == #"{"a":1}"#)
  }

  // MARK: - Work folders

  private func entries(_ path: String) throws -> [String] {
    let listing = try #require(opendir(path))
    defer { closedir(listing) }
    return names(in: listing).filter { $0 != "." && $0 != ".." }
  }

  private func until(_ condition: () throws -> Bool) throws {
    while try !condition() { usleep(2_000) }
  }

  @Test func `Each child has a folder of its own, empty for each job and gone with the child`() throws {
    let place = folder.path + "/work"
    mkdir(place, 0o700)
    var hosts = [try start(workDirectory: place), try start(workDirectory: place)]
    for host in hosts {
      for _ in 0..<3 {
        let shown = try output(host, #"{"folder":1}"#)
        #expect(shown.contains(#""left":0"#) && shown.contains(place + "/carbontube-"), "\(shown)")
      }
    }
    #expect(try entries(place).count == 2)
    var found = stat()
    #expect(stat("\(place)/\(try entries(place)[0])", &found) == 0 && found.st_mode & 0o7777 == 0o700)
    hosts[0].kill()
    hosts.removeAll()
    try until { try entries(place).isEmpty }
  }

  @Test func `What a worker that was killed left behind is removed by the next one`() throws {
    let place = folder.path + "/work"
    let left = "\(place)/carbontube-abcdef"
    try run(["sh", "-c", "mkdir -p \(left)/deep && touch \(left)/deep/file"])
    try run("touch", "\(place)/somebody-elses")
    let host = try start(workDirectory: place)
    _ = try output(host, #"{"folder":1}"#)
    try until { try entries(place).count == 2 }
    let next = try start(workDirectory: place)
    #expect(try output(next, #"{"folder":1}"#).contains(#""left":0"#))
    #expect(try entries(place).count == 3 && access(left, F_OK) != 0 && access(place + "/somebody-elses", F_OK) == 0)
    withExtendedLifetime(host) {}
  }

  @Test func `A folder is emptied whatever a job has left in it`() throws {
    let place = folder.path + "/hostile"
    let outside = folder.path + "/outside"
    try run(
      [
        "bash", "-c",
        """
        set -e
        mkdir -p \(place) \(outside)
        touch \(outside)/kept
        cd \(place)
        ln -s \(outside) link; ln -s \(outside)/kept file; ln -s / root
        mkfifo pipe; mkdir closed; touch closed/a; mkdir closed/inner; touch closed/inner/b
        chmod 0 closed/inner; chmod 0500 closed
        mkdir .carbontube-emptying-1; touch .carbontube-emptying-1/c
        printf x > "$(printf 'line\nbreak')"
        python3 - <<'P'
        import os
        for _ in range(3000):
            os.mkdir('deep-folder-name'); os.chdir('deep-folder-name')
            open('f', 'w').close()
        P
        mkdir many; cd many; for i in $(seq 20); do mkdir $i; (cd $i; seq 200 | xargs touch); done
        """,
      ])
    let descriptor = open(place, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    #expect(host_empty_folder(descriptor) == 0)
    #expect(try entries(place).isEmpty && entries(outside) == ["kept"])
  }
}
