import Glibc
import PipelineModel
import PluginTestKit
import Testing

/// What is put over a plugin that is served ends no job, whatever it is and however it gets there.
@Suite(.timeLimit(.minutes(15))) struct HazardousFileTests {
  enum Replacement: CustomTestStringConvertible {
    /// The first percents of the good file, written over it.
    case halfCopied(percent: Int)
    /// A byte of the good file's header changed.
    case otherMachine
    /// Compiled with these definitions.
    case compiled(String)

    var testDescription: String { "\(self)" }
  }

  static let bad: [Replacement] =
    [1, 25, 50, 90].map(Replacement.halfCopied) + [.otherMachine]
    + ["WITHOUT_ENTRY", "MAJOR=2", "CONSTRUCTOR=abort", "CONSTRUCTOR=hang", "CONSTRUCTOR=quit"].map(
      Replacement.compiled)

  @Test(arguments: bad) func `A bad file leaves the build before it in service`(replacement: Replacement) throws {
    let scene = try Scene()
    defer { scene.cluster.stop() }
    try scene.beginService()
    try scene.expectSuccess(ofBuild: 1)
    switch replacement {
    case .halfCopied(let percent):
      let good = try contents(of: scene.library)
      try scene.overwrite(good.prefix(good.count * percent / 100))
    case .otherMachine:
      var image = try contents(of: scene.library)
      image[18] = 0xf3
      try scene.replace(by: image)
    case .compiled(let definition):
      try scene.replace(by: scene.plugin.compiled(build: 2, [definition]))
    }
    try scene.log.wait(for: "going on with the build before it")
    try scene.expectSuccess(ofBuild: 1)
    // A good one takes over as if nothing had happened.
    try scene.replace(by: scene.plugin.compiled(build: 3))
    try scene.log.wait(for: "changed, now serving")
    try scene.expectSuccess(fromNowOnOfBuild: 3)
    try scene.expectAllSucceeded()
  }

  @Test(arguments: ["CONSTRUCTOR=chat", "LONGER", "SHORTER"]) func `An odd but sound file is served`(
    definition: String
  ) throws {
    let scene = try Scene()
    defer { scene.cluster.stop() }
    try scene.beginService()
    try scene.replace(by: scene.plugin.compiled(build: 2, [definition]))
    try scene.log.wait(for: "changed, now serving")
    try scene.expectSuccess(fromNowOnOfBuild: 2)
    try scene.expectAllSucceeded()
  }

  @Test(arguments: [true, false]) func `A job that runs is not touched by what happens to the file`(
    inPlace: Bool
  ) throws {
    let scene = try Scene()
    defer { scene.cluster.stop() }
    try scene.beginService()
    let running = try scene.enqueue("wait")
    try scene.awaitFile("begun")
    if inPlace {
      try scene.overwrite([UInt8](repeating: 0, count: try contents(of: scene.library).count))
      try scene.log.wait(for: "going on with the build before it")
    } else {
      try scene.replace(by: scene.plugin.compiled(build: 2))
      try scene.log.wait(for: "changed, now serving")
    }
    try scene.plugin.folder.write([], to: "go-on")
    #expect(try scene.build(of: running) == 1)
    try scene.expectSuccess(fromNowOnOfBuild: inPlace ? 1 : 2)
    try scene.expectAllSucceeded()
  }
}

/// A folder with one plugin, served.
private final class Scene {
  let plugin: HazardPlugin
  let cluster: Cluster
  let log = LogLines()
  let library: String
  private let client: RawClient
  private let folder: String
  private var enqueued = 0

  init() throws {
    plugin = HazardPlugin(folder: try TemporaryFolder())
    folder = plugin.folder.path + "/plugins"
    library = folder + "/libhazard.so"
    cluster = try Cluster(phases: [PhaseDefinition(jobType: "hazard")], workersPerPhase: 0)
    client = try RawClient(cluster.server)
  }

  func beginService() throws {
    mkdir(folder, 0o755)
    try plugin.folder.write(plugin.compiled(build: 1), to: "plugins/libhazard.so")
    try cluster.serve(folder: folder, stateFolder: plugin.folder.path + "/state", logger: log.logger)
    try log.wait(for: "hazard: serving \(library)")
  }

  func overwrite(_ content: some Collection<UInt8>) throws {
    try plugin.folder.write(content, to: "plugins/libhazard.so")
  }

  func replace(by content: [UInt8]) throws {
    try plugin.folder.write(content, to: "plugins/draft")
    guard rename(folder + "/draft", library) == 0 else { throw Unexpected("no rename") }
  }

  func awaitFile(_ name: String) throws {
    let path = "\(plugin.folder.path)/\(name)"
    for _ in 0..<6_000 {
      if access(path, F_OK) == 0 { return }
      poll(nil, 0, 10)
    }
    throw Unexpected("no \(path)")
  }

  func enqueue(_ deed: String) throws -> JobID {
    enqueued += 1
    guard let id = try client.enqueue([#"{"do":"\#(deed)"}"#]).first?.id else { throw Unexpected("not taken") }
    return id
  }

  /// The build that ran a job to its success.
  func build(of id: JobID) throws -> Int {
    let jobs = try cluster.finished.wait(for: enqueued)
    guard let job = jobs.first(where: { $0.id == id }), job.state == .succeeded else {
      throw Unexpected("\(id) did not succeed")
    }
    let text = String(decoding: job.instructions, as: UTF8.self)
    for build in 1...3 where text.contains(#""build":\#(build)"#) { return build }
    throw Unexpected("no build in \(text)")
  }

  func expectSuccess(ofBuild build: Int) throws {
    #expect(try self.build(of: enqueue("none")) == build)
  }

  /// The build before it may still get what was sent to it.
  func expectSuccess(fromNowOnOfBuild build: Int) throws {
    for _ in 0..<10_000 where try self.build(of: enqueue("none")) == build { return }
    throw Unexpected("build \(build) runs nothing")
  }

  func expectAllSucceeded() throws {
    let jobs = try cluster.finished.wait(for: enqueued)
    #expect(jobs.count == enqueued)
    #expect(jobs.allSatisfy { $0.state == .succeeded })
  }
}
