internal import CarbonTube

/// How many of the jobs that a command waits for have ended, on one line of the terminal; nothing where stderr is none.
struct WaitBar {
  private let ids: [String]
  private let client: PipelineClient
  private let pipeline: String
  private let startedAt = Instant.now()
  private var line = DrawnLine()

  /// In one question.
  private static let askedAtOnce = Verbs.States.Arguments.maximumIDs

  init(_ ids: [String], _ client: PipelineClient, pipeline: String) {
    self.ids = ids
    self.client = client
    self.pipeline = pipeline
  }

  /// One job says enough by itself.
  var isWanted: Bool { ids.count > 1 && StandardStreams.errorIsTerminal }

  /// - Parameter first: the jobs before it have ended, and `failed` of them did not succeed.
  mutating func show(from first: Int, failed: Int) {
    guard isWanted else { return }
    var (ended, failed) = (first, failed)
    for start in stride(from: first, to: ids.count, by: Self.askedAtOnce) {
      let asked = Array(ids[start..<min(start + Self.askedAtOnce, ids.count)])
      // A line without news is no news: the vigil says what is wrong.
      guard let states = states(of: asked) else { return }
      ended += states.count(where: \.isFinal)
      failed += states.count { $0.isFinal && $0 != .succeeded }
    }
    let (took, columns) = (Instant.now() - startedAt, StandardStreams.columns(of: 2))
    line.draw(Self.line(ended: ended, of: ids.count, failed: failed, afterMilliseconds: took, columns: columns))
  }

  /// Before anything else is written.
  mutating func clear() { line.clear() }

  private func states(of ids: [String]) -> [JobState]? {
    let answer = try? client.ask(Verbs.States.self, .init(ids: ids), pipeline: pipeline)
    return answer?.states.compactMap { $0.flatMap { JobState(word: $0) } }
  }

  static func line(
    ended: Int, of total: Int, failed: Int, afterMilliseconds milliseconds: Int64, columns: Int
  ) -> String {
    let rate = Double(ended) * 1_000 / Double(max(1, milliseconds))
    let shownRate = rate < 10 ? "\(Double(Int(rate * 10)) / 10)" : "\(Int(rate))"
    let text = " \(ended) of \(total) ended\(failed > 0 ? ", \(failed) failed" : ""), \(shownRate)/s"
    return ProgressBar.line(text, columns: columns) { width in total > 0 ? width * min(ended, total) / total : width }
  }
}
