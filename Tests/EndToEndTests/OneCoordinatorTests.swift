import Foundation
import PluginTestKit
import Testing

@Suite("A coordinator that is found by two addresses", .timeLimit(.minutes(15)))
struct OneCoordinatorTests {
  @Test func `is served by one connection, so that a long job runs once`() throws {
    let folder = try TemporaryFolder()
    let library = "\(folder.path)/libLedger.so"
    let compiler = try Program(
      "/usr/bin/gcc",
      [
        "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
        "-I\(packageFolder)/Sources/CPhaseABI/include", "-o", library,
        "\(packageFolder)/Tests/Fixtures/LedgerPlugin/ledger.c",
      ], in: folder.path
    ).end()
    #expect(compiler.status == 0, "\(compiler.complaint)")
    let coordinator = try Program(
      "carbontube",
      ["pipeline", library, "ledger", "--storage=memory:", "--sub-bind=tcp://*:*", "--job-pull=tcp://*:*"],
      in: folder.path)
    let words = try coordinator.line(holding: "pipeline ledger: jobs").split(separator: " ")
    func port(_ word: Int) throws -> Substring { try #require(words[word].dropLast().split(separator: ":").last) }
    let worker = try Program(
      "carbontube",
      [
        "phase", library, "ledger-1", "--concurrency=2", "--sub-connect=tcp://127.0.0.1:\(try port(5))",
        "--sub-connect=tcp://127.0.0.2:\(try port(5))",
      ], in: folder.path, environment: ["TMPDIR": folder.path])
    _ = try worker.complaint(holding: "which is served already")
    // Longer than a job may be missing in hellos.
    let jobs = "tcp://127.0.0.1:\(try port(3))"
    let enqueued = try Program.run(["enqueue", jobs, "ledger", #"{"sleep_ms": 6000}"#, "--id=long"], in: folder.path)
    #expect(enqueued.status == 0, "\(enqueued)")
    let deadline = Date() + 120
    var job = try Program.run(["job", "long", "--address", jobs], in: folder.path)
    while !job.output.contains("ledger-1 #1: "), Date() < deadline {
      poll(nil, 0, 100)
      job = try Program.run(["job", "long", "--address", jobs], in: folder.path)
    }
    #expect(job.output.contains("ledger-1 #1: succeeded") && !job.output.contains("#2"), "\(job)")
    let ledger = String(decoding: try contents(of: "\(folder.path)/ledger"), as: UTF8.self)
    #expect(ledger.split(separator: "\n").count == 2, "\(ledger)")
    for program in [worker, coordinator] { program.send(SIGTERM) }
  }
}
