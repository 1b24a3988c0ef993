import Glibc
import HostProtocol
public import HostSupervision

/// Looks at plugin files without ever loading them into this process.
public struct PluginCatalog: Sendable {
  public static let scanLimit = Duration.seconds(5)

  /// Where the copies are kept.
  public var stateFolder: String
  /// The program that loads plugins.
  public var hostExecutable: String
  /// How long a file may take to describe itself before its process is killed.
  public var scanLimit: Duration

  public init(
    stateFolder: String = StateFolder.path(),
    hostExecutable: String = PluginHostConfiguration.defaultExecutable(), scanLimit: Duration = PluginCatalog.scanLimit
  ) {
    self.stateFolder = stateFolder
    self.hostExecutable = hostExecutable
    self.scanLimit = scanLimit
  }

  /// Checks the file's place and headers, then makes or finds its content-addressed copy. Runs nothing of it. A symbolic
  /// link stands for the file it leads to.
  /// - Parameter file: absolute or relative to the working directory; never searched for.
  public func stage(file: String) throws(PluginRefusal) -> StagedPlugin {
    let opened = try OpenedFile(file)
    guard let resolved = realpath(file, nil) else {
      throw PluginRefusal(kind: .unreadable, file: file, reason: "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { free(resolved) }
    try checkLocation(opened, resolved: String(cString: resolved))
    _ = try preflight(opened)
    return try copyByContent(opened, to: stateFolder)
  }

  /// Stages the file and has a child describe it. Blocks until the child has answered, at most `scanLimit`; whatever the
  /// file does, the answer is a description.
  public func describe(file: String) -> PluginDescription {
    let staged: StagedPlugin
    do {
      staged = try stage(file: file)
    } catch {
      return PluginDescription(file: file, state: PluginState(error))
    }
    var description = PluginDescription(file: file, state: .ok, sha256: staged.sha256, stagedPath: staged.path)
    switch scan(staged) {
    case .success(let library): description.fill(from: library)
    case .failure(let problem): description.state = problem.state
    }
    return description
  }

  private func scan(_ staged: StagedPlugin) -> Result<LibraryDescription, ScanProblem> {
    let host: PluginHost
    do {
      host = try PluginHost(
        PluginHostConfiguration(executable: hostExecutable, library: staged.path, role: .scan))
    } catch {
      return .failure(ScanProblem(state: .invalid(reason: "could not be looked at: \(error)")))
    }
    switch host.waitUntilReady(upTo: scanLimit) {
    case .value(.success(let library)): return .success(library)
    case .value(.failure(let refusal)): return .failure(ScanProblem(state: PluginState(refusal)))
    case .timedOut:
      host.kill()
      return .failure(ScanProblem(state: .timeout(seconds: Int(scanLimit.components.seconds))))
    case .ended(_, let malformed?):
      return .failure(ScanProblem(state: .invalid(reason: "wrote nonsense into the host's channel: \(malformed)")))
    case .ended(let exit, nil):
      return .failure(
        ScanProblem(state: .crashed(cause: exit.explanation, standardErrorTail: host.standardErrorTail())))
    }
  }
}

private struct ScanProblem: Error {
  let state: PluginState
}

extension PluginState {
  fileprivate init(_ refusal: PluginRefusal) {
    switch refusal.kind {
    case .incompatible(let have, let want): self = .incompatible(have: have, want: want, reason: refusal.reason)
    default: self = .invalid(reason: refusal.reason)
    }
  }

  fileprivate init(_ refusal: HostRefusal) {
    switch refusal.kind {
    case .otherABI: self = .incompatible(have: "another ABI", want: "ABI 1", reason: refusal.message)
    default: self = .invalid(reason: refusal.message)
    }
  }
}
