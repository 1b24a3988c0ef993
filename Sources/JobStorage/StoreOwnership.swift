public import PipelineModel

/// Which coordinator a store belongs to, from `open` to `close`, and what it finds there.
public protocol StoreOwnership: AnyObject {
  /// Where the jobs are, for logs and pages. Never contains a password.
  var address: String { get }

  /// Connects, creates or migrates the schema, takes ownership, and makes the store hold `pipeline`.
  ///
  /// Called again after an error: reconnects. Jobs of a stored definition whose phases differ are moved by `job_type`
  /// (and, for a repeated one, its occurrence); where unfinished jobs stand in a phase that is gone, nothing is
  /// changed and `.definitionChanged` is thrown.
  ///
  /// - Parameter owner: names this coordinator's run. Ownership ends when the process dies (SQLite: a lock of the
  ///   kernel's) or within 1.5 s of its last `apply` or `keepOwnership` (Redis: a key with a time to live).
  func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError)

  /// Proves that the owner is alive; called at least every 500 ms while nothing else is.
  func keepOwnership(now: Timestamp) throws(StoreError)

  /// Every lease the store knows of.
  func runningJobs() throws(StoreError) -> [RunningJob]

  /// What an administrator should change about the store although it works: one line each, for the log. Asked after
  /// `open`.
  var advice: [String] { get }

  /// Gives up ownership and closes. Never fails; the store can be opened again.
  func close()
}

extension StoreOwnership {
  public var advice: [String] { [] }
}
