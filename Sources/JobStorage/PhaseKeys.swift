public import PipelineModel

/// A phase as a store remembers it: by `job_type` and, for a repeated one, which of them (0-based).
public struct PhaseName: Hashable, Sendable {
  public var jobType: String
  public var occurrence: Int

  public init(jobType: String, occurrence: Int) {
    self.jobType = jobType
    self.occurrence = occurrence
  }

  /// Form for stores that keep text: `calculate-hash#1`. A `job_type` never contains `#`.
  public init?(text: String) {
    guard let mark = text.lastIndex(of: "#"), let occurrence = Int(text[text.index(after: mark)...]) else { return nil }
    self.init(jobType: String(text[..<mark]), occurrence: occurrence)
  }

  /// See `init(text:)`.
  public var text: String { "\(jobType)#\(occurrence)" }
}

/// Numbers under which stores keep phases, made anew at each `open` from the names that the store has and the definition.
///
/// Jobs, attempts and metrics are stored under a phase's key, not its index: a changed definition then only changes
/// this table, however many jobs there are. A key is never given to another phase; a phase that comes back finds its
/// old one.
public struct PhaseKeys: Sendable {
  /// Every phase ever known; a phase's position is its key.
  public private(set) var names: [PhaseName]
  /// The key of each phase of the present definition, by index.
  public private(set) var keys: [Int] = []
  private var indexes: [Int?]
  /// The phase that new jobs begin in.
  public private(set) var startIndex = 0

  /// For a store that is not open yet: no phase at all.
  public init() {
    names = []
    indexes = []
  }

  /// - Parameter known: the names as they were stored, in the order of their keys.
  public init(known: [PhaseName], pipeline: PipelineDefinition) {
    names = known
    var keyOfName: [PhaseName: Int] = [:]
    for (key, name) in known.enumerated() { keyOfName[name] = key }
    indexes = Array(repeating: nil, count: known.count)
    startIndex = pipeline.plan.start
    var seen: [String: Int] = [:]
    for (index, phase) in pipeline.phases.enumerated() {
      let name = PhaseName(jobType: phase.jobType, occurrence: seen[phase.jobType, default: 0])
      seen[phase.jobType, default: 0] += 1
      if let key = keyOfName[name] {
        indexes[key] = index
        keys.append(key)
      } else {
        keys.append(names.count)
        names.append(name)
        indexes.append(index)
      }
    }
  }

  /// Of the present definition.
  public var phaseCount: Int { keys.count }

  /// Of the phase that new jobs begin in.
  public var startKey: Int { keys[startIndex] }

  /// Nil where the present definition does not have the phase.
  public func index(ofKey key: Int) -> Int? { indexes.indices.contains(key) ? indexes[key] : nil }

  /// For jobs that are shown although their phase is gone: those stand at the last one.
  public func shownIndex(ofKey key: Int) -> Int { index(ofKey: key) ?? max(0, keys.count - 1) }

  /// Nil where the present definition has no phase of that index.
  public func key(ofIndex index: Int) -> Int? { keys.indices.contains(index) ? keys[index] : nil }

  /// Timelines are kept by key; attempts of a phase that is gone are left out.
  public func shown(_ attempts: [AttemptRecord]) -> [AttemptRecord] {
    attempts.compactMap { attempt in
      guard let index = index(ofKey: attempt.phase) else { return nil }
      var shown = attempt
      shown.phase = index
      return shown
    }
  }

  /// Refuses a definition that would leave jobs behind. Dead jobs count as left behind, since they may be requeued.
  /// - Parameter counts: by key.
  public func refuseLeftovers(counts: [PhaseCounts], pipeline: String, address: String) throws(StoreError) {
    for (key, count) in counts.enumerated() where index(ofKey: key) == nil && names.indices.contains(key) {
      let unfinished = count.waiting + count.delayed + count.running
      guard unfinished + count.dead > 0 else { continue }
      throw StoreError(
        .definitionChanged, operation: "open",
        message: "\(address): pipeline '\(pipeline)' no longer has phase '\(names[key].jobType)', but \(unfinished) "
          + "unfinished and \(count.dead) dead jobs stand in it; bring the phase back until they are done or deleted")
    }
  }
}

extension StoreTurn {
  /// Indexes come from the coordinator's own definition, so a wrong one is refused before anything is written.
  public func refuseUnknownPhases(_ keys: PhaseKeys, address: String) throws(StoreError) {
    let known = 0..<keys.phaseCount
    let wrong =
      settlements.lazy.compactMap(\.effect.destination).first { !known.contains($0) }
      ?? claims.lazy.map(\.phase).first { !known.contains($0) }
      ?? metrics.lazy.map(\.phase).first { !known.contains($0) }
    guard let wrong else { return }
    throw StoreError(
      .misconfigured, operation: "apply",
      message: "\(address): phase \(wrong) does not exist; the pipeline has \(keys.phaseCount)")
  }
}
