internal import Glibc
internal import PipelineModel
internal import PluginCatalog
internal import Synchronization
internal import ZeroMQTransport

/// The copy of the plugin that children load: made again from the plugin's file where somebody has removed it from the
/// cache, or damaged it there. The copying has a thread of its own, since a plugin can be large and its file on a slow disk.
final class StagedCopy {
  /// After a copy that could not be made.
  private static let pauseMilliseconds: Int64 = 5_000

  let staged: StagedPlugin
  private let file: String
  private let stateFolder: String
  private let wake: WakeUp
  private var lease: StagedPluginLease
  private var work: Work?
  private var isDoubtful = false
  private var tryAgainAt = Instant(milliseconds: .min)
  /// Why there is no copy; nil where there is one, or one is being made.
  private(set) var problem: String?

  /// - Parameter wake: signalled when a copy was made, or could not be.
  init(_ staged: StagedPlugin, of file: String, stateFolder: String, wake: WakeUp) {
    self.staged = staged
    self.file = file
    self.stateFolder = stateFolder
    self.wake = wake
    lease = StagedPluginLease(path: staged.path)
  }

  /// Somebody may have damaged it: it is compared with the file before the next child is started.
  func doubt() { isDoubtful = true }

  /// Whether a child can load it; where not, has it made again.
  func isThere(now: Instant) -> Bool {
    if let work {
      guard let outcome = work.outcome else { return false }
      work.thread.join()
      self.work = nil
      note(outcome, now: now)
    }
    if problem == nil, !isDoubtful, lease.isIntact { return true }
    guard now >= tryAgainAt else { return problem == nil && lease.isIntact }
    tryAgainAt = now + Self.pauseMilliseconds
    isDoubtful = false
    work = Work(file: file, stateFolder: stateFolder, wake: wake)
    return false
  }

  private func note(_ outcome: Result<StagedPlugin, PluginRefusal>, now: Instant) {
    switch outcome {
    case .success(let copy) where copy.sha256 == staged.sha256 && copy.path == staged.path:
      problem = nil
      lease = StagedPluginLease(path: staged.path)
    case .success:
      problem =
        "its copy in the plugin cache was removed or damaged, and \(file) is another build by now; start the worker again"
    case .failure(let refusal):
      problem = "its copy in the plugin cache was removed or damaged, and cannot be made again: \(refusal)"
    }
  }

  /// - Returns: whether none is being made.
  func isAtRest() -> Bool {
    guard let work else { return true }
    guard work.outcome != nil else { return false }
    work.thread.join()
    self.work = nil
    return true
  }

  private final class Work {
    let thread: LoopThread
    private let state: SharedOutcome

    var outcome: Result<StagedPlugin, PluginRefusal>? { state.outcome.withLock { $0 } }

    init(file: String, stateFolder: String, wake: WakeUp) {
      let state = SharedOutcome()
      self.state = state
      thread = LoopThread(name: "carbontube-copy") {
        let catalog = PluginCatalog(stateFolder: stateFolder)
        let outcome = Result { () throws(PluginRefusal) in try catalog.stage(file: file) }
        state.outcome.withLock { $0 = outcome }
        wake.signal()
      }
    }
  }

  private final class SharedOutcome: Sendable {
    let outcome = Mutex<Result<StagedPlugin, PluginRefusal>?>(nil)
  }
}
