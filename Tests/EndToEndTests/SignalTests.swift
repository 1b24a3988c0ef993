import Foundation
import PluginTestKit
import Testing

@Suite("A terminal that closes ends programs in order", .timeLimit(.minutes(15)))
struct SignalTests {
  @Test func `SIGHUP drains a worker and stops a coordinator`() throws {
    let folder = try TemporaryFolder()
    let coordinator = try Program(
      "carbontube",
      [
        "pipeline", Terminals.library, "example-one", "--storage=memory:", "--sub-bind=ipc://\(folder.path)/events",
        "--job-pull=ipc://\(folder.path)/intake",
      ], in: folder.path)
    _ = try coordinator.line(holding: "pipeline example-one")
    let worker = try Program(
      "carbontube", ["phase", Terminals.library, "delete-file", "--sub-connect=ipc://\(folder.path)/events"],
      in: folder.path)
    _ = try worker.complaint(holding: "serving delete-file for pipeline example-one")
    worker.send(SIGHUP)
    _ = try worker.complaint(holding: "draining: finishing what runs")
    #expect(try worker.end().status == 0)
    coordinator.send(SIGHUP)
    #expect(try coordinator.end().status == 0)
  }

  @Test func `What is started with SIGHUP ignored goes on ignoring it`() throws {
    let folder = try TemporaryFolder()
    let command =
      "\(buildFolder)/carbontube phase \(Terminals.library) delete-file --sub-connect=ipc://\(folder.path)/x"
    let worker = try Program("/bin/sh", ["-c", "trap '' HUP; exec \(command)"], in: folder.path)
    _ = try worker.complaint(holding: "no coordinator heard at ipc://\(folder.path)/x")
    worker.send(SIGHUP)
    worker.send(SIGTERM)
    _ = try worker.complaint(holding: "draining: finishing what runs")
    // The second signal would have ended it at once with other words.
    #expect(try worker.end().status == 0)
  }
}

@Suite("plugins build verifies what it built", .timeLimit(.minutes(15)))
struct BuildVerificationTests {
  @Test func `A pipeline without phases is refused as plugins verify refuses it`() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      #include "carbontube.h"
      CT_PLUGIN_NOTE(0, 0);
      static const ct_pipeline pipeline = {
        .struct_size = sizeof(ct_pipeline), .name = "empty", .version = "1", .summary = "",
        .definition = "{\\"name\\":\\"empty\\",\\"phases\\":[]}"};
      static const ct_pipeline *const pipelines[] = {&pipeline};
      static const ct_plugin plugin = {
        .struct_size = sizeof(ct_plugin), .abi_major = 1, .id = "org.example.empty", .version = "1", .summary = "",
        .build = "c", .pipeline_count = 1, .pipelines = pipelines};
      CT_EXPORT const ct_plugin *carbontube_plugin_v1(uint32_t minor) { return &plugin; }
      """.utf8, to: "empty.c")
    let include = "\(packageFolder)/Sources/CPhaseABI/include"
    try folder.write(
      "all:\n\tmkdir -p build\n\tclang -shared -fPIC -I \(include) empty.c -o build/libempty.so\n".utf8, to: "Makefile")
    let built = try Program.run(["plugins", "build", folder.path], in: folder.path)
    let verified = try Program.run(["plugins", "verify", "\(folder.path)/build/libempty.so"], in: folder.path)
    #expect(verified.status == 78, "\(verified)")
    #expect(built.status == verified.status, "\(built)")
    #expect(built.complaint.contains("has no phases") || built.complaint.contains("cannot be used"), "\(built)")
  }
}
