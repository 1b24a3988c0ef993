internal import FoundationEssentials

/// What is known about one coordinator, asked again and again. Not shared: its loop is its only user.
struct PipelineWatch {
  /// What one look heard.
  struct Answers {
    /// The answer to `status`.
    var status: JSONDocument
    /// The answer to `totals`.
    var totals: JSONDocument
    /// The answer to `actions`; null where there is none.
    var actions: JSONDocument = .null
  }

  private var rates: [PhaseRates] = []
  private var coordinator = ""
  private var startedAt: Int64 = 0
  private var heardAt: Int64?
  /// What was shown last; what a coordinator said before it went away is still worth showing.
  private(set) var document: JSONDocument

  init(address: String) {
    document = .object(["address": .string(address), "state": .string("connecting")])
  }

  var name: String? { document["pipeline"].string }

  mutating func lost(_ reason: String) {
    document["state"] = .string("unreachable")
    document["problem"] = .string(reason)
    if let heardAt { document["as_of_ms"] = .integer(heardAt) }
  }

  /// - Parameter now: Unix time in milliseconds.
  mutating func heard(_ answers: Answers, now: Int64) {
    let (status, totals) = (answers.status, answers.totals)
    heardAt = now
    var shown = status
    shown["address"] = document["address"]
    shown["state"] = .string("connected")
    let name = status["coordinator"].string ?? ""
    if name != coordinator || rates.count != totals["phases"].elements.count {
      coordinator = name
      startedAt = now &- (status["uptime_ms"].integer ?? 0)
      rates = totals["phases"].elements.map { _ in PhaseRates() }
    }
    shown["uptime_ms"] = .null
    shown["started_at_ms"] = .integer(startedAt)
    let isPaused = status["paused"] == .bool(true)
    shown["phases"] = phases(status["phases"].elements, totals, isPaused: isPaused, now: now)
    shown["workers"] = .object(
      Dictionary(
        status["workers"].elements.map { ($0["id"].string ?? "", Self.worker($0)) }, uniquingKeysWith: { $1 }))
    shown["actions"] = .object(
      Dictionary(
        answers.actions["actions"].elements.map { ($0["action"].string ?? "", $0) },
        uniquingKeysWith: { $1 }))
    document = .object(shown.members.filter { $0.value != .null })
  }

  /// Ages that changed with every look would make every worker a change.
  private static func worker(_ said: JSONDocument) -> JSONDocument {
    var shown = said
    shown["heartbeat_age_ms"] = .null
    shown["heartbeat_age_s"] = .integer((said["heartbeat_age_ms"].integer ?? 0) / 1_000)
    return .object(shown.members.filter { $0.value != .null })
  }

  private mutating func phases(
    _ phases: [JSONDocument], _ totals: JSONDocument, isPaused: Bool, now: Int64
  ) -> JSONDocument {
    let bounds = totals["bounds_us"].elements.compactMap(\.integer)
    var shown = phases
    for (index, total) in totals["phases"].elements.enumerated() where phases.indices.contains(index) {
      rates[index].add(
        PhaseRates.Reading(
          atMilliseconds: now, succeeded: total["succeeded"].integer ?? 0,
          latency: total["latency"]["counts"].elements.compactMap(\.integer)))
      for name in ["succeeded", "failed", "retried", "crashed"] { shown[index][name] = total[name] }
      shown[index]["per_second"] = .number(rates[index].perSecond)
      for (name, fraction) in [("p50_us", 0.5), ("p99_us", 0.99)] {
        if let value = rates[index].percentile(fraction, bounds: bounds) { shown[index][name] = .integer(value) }
      }
    }
    if let bottleneck = Self.bottleneck(phases, isPaused: isPaused) { shown[bottleneck]["bottleneck"] = .bool(true) }
    return .object(Dictionary(uniqueKeysWithValues: shown.enumerated().map { (String($0), $1) }))
  }

  /// Where most jobs wait, and more than its workers could take at once; none that nothing is taken from, since more
  /// workers would not help there.
  static func bottleneck(_ phases: [JSONDocument], isPaused: Bool) -> Int? {
    guard !isPaused else { return nil }
    let waiting = phases.map { phase in
      phase["paused"] == .bool(true) || phase["slots"].integer ?? 0 <= 0 ? 0 : phase["waiting"].integer ?? 0
    }
    guard let most = waiting.indices.max(by: { waiting[$0] < waiting[$1] }) else { return nil }
    return waiting[most] > phases[most]["slots"].integer ?? 0 ? most : nil
  }
}
