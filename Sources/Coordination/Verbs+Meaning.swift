internal import ControlProtocol
internal import PipelineModel

// What arguments mean to a coordinator, or why they mean nothing. Numbers are bounded rather than refused.

extension JobID {
  init(named text: String) throws(Refusal) {
    guard let id = JobID(text) else { throw .noJobID }
    self = id
  }
}

extension PipelineDefinition {
  /// - Returns: at least one.
  func phases(named jobType: String) throws(Refusal) -> [Int] {
    let phases = phases(of: jobType)
    guard !phases.isEmpty else {
      let names = self.phases.map(\.jobType).joined(separator: ", ")
      throw Refusal(code: .notFound, message: "no phase '\(jobType.prefix(64))'; pipeline \(name) has \(names)")
    }
    return phases
  }
}

extension Verbs.States.Arguments {
  func jobIDs() throws(Refusal) -> [JobID] {
    var jobs: [JobID] = []
    for text in ids { jobs.append(try JobID(named: text)) }
    return jobs
  }
}

extension Verbs.Jobs.Arguments {
  private static let maximumCursorBytes = 256

  var pageLength: Int { min(max(1, limit ?? 50), 1_000) }

  func pageCursor() throws(Refusal) -> String? {
    guard let cursor else { return nil }
    guard isPlainName(cursor, maximumLength: Self.maximumCursorBytes) else {
      throw Refusal(code: .invalid, message: "'cursor' must be the 'next' of a page")
    }
    return cursor
  }
}

extension Verbs.Jobs.Arguments {
  func search() throws(Refusal) -> InstructionsSearch? {
    guard let containing else { return nil }
    guard (1...InstructionsSearch.maximumTextBytes).contains(containing.utf8.count) else {
      throw Refusal(
        code: .invalid, message: "'containing' must be a text of 1 to \(InstructionsSearch.maximumTextBytes) bytes")
    }
    return InstructionsSearch(for: containing)
  }
}

extension Verbs.Release.Arguments {
  /// Digits that the SHA-256 of a build begins with: as many as it takes to tell builds apart, or more.
  func buildDigits() throws(Refusal) -> String {
    guard (6...64).contains(plugin.utf8.count), plugin.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
      throw Refusal(code: .invalid, message: "'plugin' must be the first 6 to 64 digits of a build's SHA-256")
    }
    return plugin
  }
}

/// A span of time that ends now.
///
/// - Returns: minutes, a week of them at most.
private func span(of minutes: Int?) -> Int64 { Int64(min(max(1, minutes ?? 60), 7 * 24 * 60)) }

extension Verbs.Metrics.Arguments {
  var span: Int64 { Coordination.span(of: minutes) }
}

extension Verbs.History.Arguments {
  var span: Int64 { Coordination.span(of: minutes) }
  var stepLength: Int64 { Int64(min(max(1, step ?? 1), 24 * 60)) }
}
