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
    try checkLocation(opened, resolved: try resolvedPath(file))
    _ = try preflight(opened)
    return try stageAllowed(opened)
  }

  /// How far `describe` believes what was found out before.
  public enum CacheUse: Sendable {
    /// Not at all.
    case ignored
    /// Where the copy that children load still has the content that was described: for whoever runs it.
    case verified
    /// Where the file looks unchanged: for whoever only shows it.
    case asFound
  }

  /// Stages the file and has a child describe it, unless that is known from before. Blocks until the child has answered,
  /// at most `scanLimit`; whatever the file does, the answer is a description.
  public func describe(file: String, cached: CacheUse = .verified) -> PluginDescription {
    do {
      var description = try look(at: file, cached)
      description.file = file
      guard description.state == .ok else { return description }
      let records = Quarantine(stateFolder: stateFolder).records(of: description.sha256)
      if let since = records.compactMap(\.since).min() {
        let reasons = records.map { "\($0.jobType) \($0.reason)" }
        description.state = .quarantined(since: since, reason: reasons.joined(separator: "; "))
      }
      return description
    } catch {
      return PluginDescription(file: file, state: PluginState(error))
    }
  }

  /// - Throws: what says nothing lasting about the file's content, and is not worth keeping.
  private func look(at file: String, _ use: CacheUse) throws(PluginRefusal) -> PluginDescription {
    let opened = try OpenedFile(file)
    let resolved = try resolvedPath(file)
    try checkLocation(opened, resolved: resolved)
    let identity = FileIdentity(opened.status)
    let cache = ScanCache(stateFolder: stateFolder, hostExecutable: hostExecutable)
    if use != .ignored, let known = cache.description(ofFileAt: resolved, identity), isUsable(known, identity, use) {
      if !known.sha256.isEmpty { try AllowList().check(known.sha256, of: file) }
      return known
    }
    let fresh = try lookAnew(opened, use == .ignored ? nil : cache)
    if fresh.state == .ok || !fresh.sha256.isEmpty { cache.keep(fresh, ofContent: fresh.sha256) }
    cache.keep(fresh, ofFileAt: resolved, identity)
    return fresh
  }

  private func lookAnew(
    _ file: borrowing OpenedFile, _ cache: ScanCache?
  ) throws(PluginRefusal) -> PluginDescription {
    do throws(PluginRefusal) {
      _ = try preflight(file)
    } catch {
      return PluginDescription(file: file.path, state: PluginState(error))
    }
    let staged = try stageAllowed(file)
    if var known = cache?.description(ofContent: staged.sha256) {
      known.stagedPath = staged.path
      return known
    }
    var description = PluginDescription(
      file: file.path, state: .ok, sha256: staged.sha256, stagedPath: staged.path)
    switch try scan(staged) {
    case .success(let library): description.fill(from: library)
    case .failure(let problem): description.state = problem.state
    }
    return description
  }

  private func stageAllowed(_ file: borrowing OpenedFile) throws(PluginRefusal) -> StagedPlugin {
    let staged = try copyByContent(file, to: stateFolder)
    try AllowList().check(staged.sha256, of: file.path)
    return staged
  }

  /// A description is worth nothing without the copy that it speaks of.
  private func isUsable(_ known: PluginDescription, _ identity: FileIdentity, _ use: CacheUse) -> Bool {
    guard known.state == .ok else { return true }
    if use == .verified {
      StagedCopies(stateFolder: stateFolder).touch(known.stagedPath)
      return hash(ofFileAt: known.stagedPath) == known.sha256
    }
    var status = stat()
    return lstat(known.stagedPath, &status) == 0 && Int64(status.st_size) == identity.size
  }

  private func scan(_ staged: StagedPlugin) throws(PluginRefusal) -> Result<LibraryDescription, ScanProblem> {
    let host: PluginHost
    do {
      host = try PluginHost(
        PluginHostConfiguration(executable: hostExecutable, library: staged.path, role: .scan))
    } catch {
      throw PluginRefusal(kind: .scanning, file: staged.path, reason: "could not be looked at: \(error)")
    }
    switch host.waitUntilReady(upTo: scanLimit) {
    case .value(.success(let library)): return .success(library)
    case .value(.failure(let refusal)): return .failure(ScanProblem(state: PluginState(refusal)))
    case .timedOut where !host.hasBegun:
      throw PluginRefusal(
        kind: .scanning, file: staged.path,
        reason: "could not be looked at: \(hostExecutable) has said nothing; is it the carbontube-plugin-host of this "
          + "carbontube?")
    case .ended(let exit, _) where !exit.hadBegun:
      throw PluginRefusal(
        kind: .scanning, file: staged.path, reason: "could not be looked at with \(hostExecutable): \(exit)")
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

private func resolvedPath(_ file: String) throws(PluginRefusal) -> String {
  guard let resolved = realpath(file, nil) else {
    throw PluginRefusal(kind: .unreadable, file: file, reason: "cannot be read: \(String(cString: strerror(errno)))")
  }
  defer { free(resolved) }
  return String(cString: resolved)
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
