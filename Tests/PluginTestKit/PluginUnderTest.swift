import Glibc
public import HostProtocol
public import HostSupervision

/// The folder in which the build has put programs and plugins.
public let buildFolder: String = {
  let host = PluginHostConfiguration.defaultExecutable()
  return String(host[..<(host.lastIndex(of: "/") ?? host.startIndex)])
}()

/// The package's own folder.
public let packageFolder: String = {
  let file = #filePath
  let parts = file.split(separator: "/", omittingEmptySubsequences: false)
  return parts.dropLast(3).joined(separator: "/")
}()

/// Long enough for a busy machine; nothing waits for it but a broken child.
public let patience = Duration.seconds(60)

/// What a test did not foresee, with what it needs to be understood.
public struct Unexpected: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

public func job(_ instructions: String, token: UInt64 = 1, attempt: UInt32 = 1, id: String = "job-1") -> HostJob {
  HostJob(token: token, jobID: id, pipeline: "p", attempt: attempt, instructions: Array(instructions.utf8))
}

/// A child for a plugin of the build.
public func startHost(
  _ library: String, _ role: PluginHostConfiguration.Role, limits: PluginHostConfiguration.Limits = .init(),
  environment: [String: String] = [:]
) throws(HostSpawnError) -> PluginHost {
  try PluginHost(
    PluginHostConfiguration(
      library: library.hasPrefix("/") ? library : "\(buildFolder)/\(library)", role: role, limits: limits,
      environment: environment))
}

extension PluginHost {
  /// The result of a job, and what came before it.
  public func result(of job: HostJob) throws -> (result: HostResult, before: [HostEvent]) {
    run(job)
    var before: [HostEvent] = []
    let outcome = wait(upTo: patience) { event -> HostResult? in
      if case .finished(job.token, let result, _) = event { return result }
      before.append(event)
      return nil
    }
    guard case .value(let result) = outcome else { throw Unexpected("\(outcome)\n\(standardErrorTail())") }
    return (result, before)
  }

  /// The end of a child that is to end without another result.
  public func exit() throws -> HostExit {
    let outcome = wait(upTo: patience) { event -> HostResult? in
      if case .finished(_, let result, _) = event { return result }
      return nil
    }
    guard case .ended(let exit, nil) = outcome else { throw Unexpected("\(outcome)\n\(standardErrorTail())") }
    return exit
  }

  /// The result of a hook, and what came before it.
  public func result(of call: HostHookCall) throws -> (result: HostResult, before: [HostEvent]) {
    self.call(call)
    var before: [HostEvent] = []
    let outcome = wait(upTo: patience) { event -> HostResult? in
      if case .hookFinished(call.token, let result) = event { return result }
      before.append(event)
      return nil
    }
    guard case .value(let result) = outcome else { throw Unexpected("\(outcome)\n\(standardErrorTail())") }
    return (result, before)
  }
}
