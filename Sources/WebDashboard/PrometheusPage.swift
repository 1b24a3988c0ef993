/// The metrics of all pipelines in Prometheus' text format 0.0.4, by its conventions: base units, `_total` for counters.
/// Counters begin at zero with each start of a coordinator.
struct PrometheusPage {
  let directory: CoordinatorDirectory

  func text() async -> String {
    var page = MetricsText()
    for (name, shown) in directory.document["pipelines"].members.sorted(by: { $0.key < $1.key }) {
      let labels = [("pipeline", name)]
      let isUp = shown["state"] == .string("connected")
      page.add("carbontube_coordinator_up", .gauge, "Whether the coordinator answers.", labels, isUp ? 1 : 0)
      guard isUp else { continue }
      addPipeline(shown, labels, to: &page)
      addPhases(shown, labels, to: &page)
      if let link = try? directory.link(named: name), let totals = try? await link.look("totals").0 {
        addTotals(totals, labels, to: &page)
        Self.addMeasures(totals, labels, to: &page)
      }
    }
    return page.text
  }

  private func addPipeline(_ shown: JSONDocument, _ labels: [(String, String)], to page: inout MetricsText) {
    let isOpen = shown["store"]["state"] == .string("open")
    page.add("carbontube_store_up", .gauge, "Whether the store takes writes.", labels, isOpen ? 1 : 0)
    page.add(
      "carbontube_coordinator_start_time_seconds", .gauge, "Start of the coordinator, Unix time.", labels,
      Double(shown["started_at_ms"].integer ?? 0) / 1_000)
    page.add(
      "carbontube_malformed_messages_total", .counter, "Messages that made no sense and were ignored.", labels,
      Double(shown["malformed_messages"].integer ?? 0))
    addDead(shown, labels, to: &page)
    for state in ["succeeded", "cancelled"] {
      page.add(
        "carbontube_jobs_kept", .gauge, "Finished jobs that the store still keeps.", labels + [("state", state)],
        Double(shown[state].integer ?? 0))
    }
  }

  /// Dead jobs are kept until somebody requeues or deletes them, so that somebody has to hear when they are many.
  private func addDead(_ shown: JSONDocument, _ labels: [(String, String)], to page: inout MetricsText) {
    let jobs = shown["phases"].members.values.reduce(0) { $0 + Double($1["dead"].integer ?? 0) }
    page.add("carbontube_dead_jobs", .gauge, "Dead jobs that wait for requeue or delete.", labels, jobs)
    let bytes = shown["dead_bytes"].integer.map(Double.init)
    if let bytes { page.add("carbontube_dead_bytes", .gauge, "What the dead jobs take in the store.", labels, bytes) }
    let isTooMuch = jobs > 100_000 || bytes ?? 0 > Double(1 << 30)
    page.add(
      "carbontube_dead_warning", .gauge, "Whether there are more than 100,000 dead jobs or 1 GiB of them.", labels,
      isTooMuch ? 1 : 0)
  }

  private func addPhases(_ shown: JSONDocument, _ labels: [(String, String)], to page: inout MetricsText) {
    for (position, phase) in shown["phases"].members.sorted(by: { Int($0.key) ?? 0 < Int($1.key) ?? 0 }) {
      let labels = labels + [("phase", phase["job_type"].string ?? ""), ("position", position)]
      for state in ["waiting", "delayed", "running", "dead"] {
        page.add(
          "carbontube_phase_jobs", .gauge, "Jobs in the phase, by state.", labels + [("state", state)],
          Double(phase[state].integer ?? 0))
      }
      page.add(
        "carbontube_phase_workers", .gauge, "Workers that serve the phase.", labels,
        Double(phase["workers"].integer ?? 0))
      page.add(
        "carbontube_phase_slots", .gauge, "Jobs that these workers run at a time.", labels,
        Double(phase["slots"].integer ?? 0))
      page.add(
        "carbontube_phase_paused", .gauge, "Whether the phase is paused.", labels,
        phase["paused"] == .bool(true) ? 1 : 0)
    }
  }

  /// Two families, since Prometheus takes one for either counters or gauges.
  static func addMeasures(_ totals: JSONDocument, _ labels: [(String, String)], to page: inout MetricsText) {
    for measure in totals["measures"].elements {
      guard let phase = measure["phase"].string, let name = measure["name"].string,
        let value = measure["value"].double
      else { continue }
      let labels = labels + [("phase", phase), ("name", name)]
      if measure["kind"] == .string("counter") {
        page.add("carbontube_phase_counted_total", .counter, "What the phase's jobs counted.", labels, value)
      } else {
        page.add("carbontube_phase_measured", .gauge, "What the phase's jobs measured last.", labels, value)
      }
    }
  }

  private static let counters = [
    ("enqueued", "carbontube_phase_enqueued_total", "Jobs that came into the phase."),
    ("started", "carbontube_phase_attempts_started_total", "Attempts that were given to workers."),
    ("succeeded", "carbontube_phase_attempts_succeeded_total", "Attempts that succeeded."),
    ("failed", "carbontube_phase_attempts_failed_total", "Attempts that failed or timed out."),
    ("crashed", "carbontube_phase_attempts_crashed_total", "Attempts that ended with their process."),
    ("retried", "carbontube_phase_retries_total", "Attempts after which the job was tried again."),
    ("dead", "carbontube_phase_dead_total", "Jobs that ended dead in the phase."),
  ]

  private func addTotals(_ totals: JSONDocument, _ labels: [(String, String)], to page: inout MetricsText) {
    let bounds = totals["bounds_us"].elements.compactMap(\.integer)
    for (position, phase) in totals["phases"].elements.enumerated() {
      let labels = labels + [("phase", phase["job_type"].string ?? ""), ("position", String(position))]
      for (member, name, help) in Self.counters {
        page.add(name, .counter, help, labels, Double(phase[member].integer ?? 0))
      }
      for (member, name, help) in [
        ("latency", "carbontube_phase_attempt_duration_seconds", "How long attempts ran."),
        ("wait", "carbontube_phase_wait_seconds", "How long jobs waited before they were given out."),
      ] {
        page.add(
          name, help, labels, counts: phase[member]["counts"].elements.compactMap(\.integer),
          boundsMicroseconds: bounds,
          sumMicroseconds: phase[member]["sum_us"].integer ?? 0)
      }
    }
  }
}

/// Lines of one family stay together, whatever the order in which they are added.
struct MetricsText {
  enum Kind: String {
    case counter, gauge, histogram
  }

  private var order: [String] = []
  private var families: [String: [String]] = [:]

  var text: String { order.flatMap { families[$0] ?? [] }.joined(separator: "\n") + "\n" }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ labels: [(String, String)], _ value: Double) {
    begin(name, kind, help)
    families[name]?.append("\(name)\(Self.text(labels)) \(Self.text(value))")
  }

  mutating func add(
    _ name: String, _ help: String, _ labels: [(String, String)], counts: [Int64], boundsMicroseconds: [Int64],
    sumMicroseconds: Int64
  ) {
    begin(name, .histogram, help)
    var seen: Int64 = 0
    for (index, count) in counts.enumerated() {
      seen &+= count
      let bound = index < boundsMicroseconds.count ? Self.text(Double(boundsMicroseconds[index]) / 1e6) : "+Inf"
      families[name]?.append("\(name)_bucket\(Self.text(labels + [("le", bound)])) \(seen)")
    }
    families[name]?.append("\(name)_sum\(Self.text(labels)) \(Self.text(Double(sumMicroseconds) / 1e6))")
    families[name]?.append("\(name)_count\(Self.text(labels)) \(seen)")
  }

  private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    guard families[name] == nil else { return }
    order.append(name)
    families[name] = ["# HELP \(name) \(help)", "# TYPE \(name) \(kind.rawValue)"]
  }

  private static func text(_ labels: [(String, String)]) -> String {
    "{" + labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func text(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}
