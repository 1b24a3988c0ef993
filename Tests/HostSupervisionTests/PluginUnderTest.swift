import Glibc
import HostProtocol
import HostSupervision
import Testing

/// The folder in which the build has put programs and plugins.
let buildFolder: String = {
  let host = PluginHostConfiguration.defaultExecutable()
  return String(host[..<(host.lastIndex(of: "/") ?? host.startIndex)])
}()

/// Long enough for a busy machine; nothing waits for it but a broken child.
let patience = Duration.seconds(60)

func job(_ instructions: String, token: UInt64 = 1, attempt: UInt32 = 1, id: String = "job-1") -> HostJob {
  HostJob(token: token, jobID: id, pipeline: "p", attempt: attempt, instructions: Array(instructions.utf8))
}

func startHost(
  _ library: String, _ role: PluginHostConfiguration.Role, limits: PluginHostConfiguration.Limits = .init()
) throws -> PluginHost {
  let host = try PluginHost(
    PluginHostConfiguration(library: "\(buildFolder)/\(library)", role: role, limits: limits))
  return host
}

extension PluginHost {
  /// The result of a job, and what came before it.
  func result(of job: HostJob) throws -> (result: HostResult, before: [HostEvent]) {
    run(job)
    var before: [HostEvent] = []
    let outcome = wait(upTo: patience) { event -> HostResult? in
      if case .finished(job.token, let result) = event { return result }
      before.append(event)
      return nil
    }
    guard case .value(let result) = outcome else { throw Unexpected(what: "\(outcome)\n\(standardErrorTail())") }
    return (result, before)
  }
}

struct Unexpected: Error {
  var what: String
}

/// A file that is there for the length of `body`.
func withFile<Value>(_ content: String, _ body: (String) throws -> Value) throws -> Value {
  var template = Array("/tmp/carbontube-test-XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  defer { unlink(path) }
  let bytes = Array(content.utf8)
  #expect(write(descriptor, bytes, bytes.count) == bytes.count)
  close(descriptor)
  return try body(path)
}
