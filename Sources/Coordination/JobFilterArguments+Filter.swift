internal import ControlProtocol
internal import JobStorage
internal import PipelineModel

extension JobFilterArguments {
  private static let maximumErrorBytes = 1_024

  /// Which jobs are meant. Where something is to be done to them, nothing named never means everything.
  func filter(in pipeline: PipelineDefinition, toChange: Bool = false) throws(Refusal) -> JobFilter {
    if toChange { try refuseNothingNamed() }
    guard (error ?? "").utf8.count <= Self.maximumErrorBytes, (idPrefix ?? "").utf8.count <= JobID.maximumLength else {
      throw Refusal(
        code: .invalid,
        message: "'error' may have \(Self.maximumErrorBytes) bytes and 'id_prefix' \(JobID.maximumLength)")
    }
    var filter = JobFilter(errorContains: error, idPrefix: idPrefix)
    if let id { filter.id = try JobID(named: id) }
    if let states { filter.states = try Self.states(named: states) }
    if let phase {
      let phases = try pipeline.phases(named: phase)
      guard phases.count == 1 else {
        throw Refusal(code: .invalid, message: "'\(phase)' stands in the pipeline \(phases.count) times")
      }
      filter.phase = phases[0]
    }
    filter.changed = try changed()
    return filter
  }

  /// When the jobs that are meant have changed; nil: whenever.
  private func changed() throws(Refusal) -> ClosedRange<Timestamp>? {
    guard sinceMs != nil || untilMs != nil else { return nil }
    let (first, last) = (sinceMs ?? .min, untilMs ?? .max)
    guard first <= last else {
      throw Refusal(code: .invalid, message: "'since_ms' is later than 'until_ms', so that no job can match")
    }
    return Timestamp(milliseconds: first)...Timestamp(milliseconds: last)
  }

  private func refuseNothingNamed() throws(Refusal) {
    let texts = [("id", id), ("phase", phase), ("error", error), ("id_prefix", idPrefix)]
    if let empty = texts.first(where: { $0.1?.isEmpty == true })?.0 ?? (states?.isEmpty == true ? "states" : nil) {
      throw Refusal(code: .invalid, message: "'\(empty)' is empty; name something, or leave it out")
    }
    guard states != nil || sinceMs != nil || untilMs != nil || texts.contains(where: { $0.1 != nil }) else {
      throw Refusal(
        code: .invalid,
        message: "name the jobs by id, states, phase, error, id_prefix, since_ms or until_ms: nothing named means none")
    }
  }

  private static func states(named words: [String]) throws(Refusal) -> Set<JobState> {
    var states: Set<JobState> = []
    for word in words {
      guard let state = JobState(word: word) else {
        throw Refusal(code: .invalid, message: "unknown state '\(word.prefix(64))'")
      }
      states.insert(state)
    }
    return states
  }
}
