public import Metrics
public import ServiceLifecycle

/// Passes what a coordinator counts on to swift-metrics, by the names that its page for Prometheus has: counters of
/// attempts and jobs for each phase, gauges of its queue, and whether the coordinator answers.
///
///     let metrics = PipelineMetrics(of: server.intakeAddress)
///     let group = ServiceGroup(services: [server, worker, metrics], logger: logger)
///
/// A client of the coordinator like any other, so one in another process will do as well. What was counted before it began
/// to look is not passed on; what is counted while the coordinator cannot be reached is, once it can be again.
public final class PipelineMetrics: Service {
  private let address: String
  private let interval: Duration
  private let factory: any MetricsFactory

  /// - Parameters:
  ///   - address: the coordinator's intake.
  ///   - interval: between looks.
  ///   - factory: where the metrics go; by default what the program has bootstrapped.
  public init(
    of address: String, every interval: Duration = .seconds(5), factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.address = address
    self.interval = interval
    self.factory = factory
  }

  /// Looks until the group shuts down or the task is cancelled. A coordinator that is not there is looked for again.
  public func run() async throws {
    let client = PipelineClient(address)
    try? await cancelWhenGracefulShutdown { [self] in
      var tally = Tally()
      while true {
        await look(client, &tally)
        try await Task.sleep(for: interval)
      }
    }
    await client.close()
  }

  private func look(_ client: PipelineClient, _ tally: inout Tally) async {
    let up = Gauge(label: "carbontube_coordinator_up", factory: factory)
    do {
      if !tally.isConnected { try await client.connect() }
      tally.isConnected = true
      let totals = try await client.ask(Verbs.Totals.self)
      let status = try await client.ask(Verbs.Status.self)
      up.record(1)
      record(tally.news(in: totals), status)
    } catch {
      // It may have answered before, and connects again by itself.
      up.record(0)
    }
  }

  private func record(_ news: [Tally.News], _ status: StatusDocument) {
    for each in news {
      let labels = [("pipeline", status.pipeline), ("phase", each.jobType)]
      Counter(label: "carbontube_phase_\(each.name)_total", dimensions: labels, factory: factory)
        .increment(by: each.count)
    }
    for phase in status.phases {
      let labels = [("pipeline", status.pipeline), ("phase", phase.jobType)]
      for (state, count) in [
        ("waiting", phase.waiting), ("delayed", phase.delayed), ("running", phase.running), ("dead", phase.dead),
      ] {
        Gauge(label: "carbontube_phase_jobs", dimensions: labels + [("state", state)], factory: factory).record(count)
      }
      Gauge(label: "carbontube_phase_workers", dimensions: labels, factory: factory).record(phase.workers)
      Gauge(label: "carbontube_phase_slots", dimensions: labels, factory: factory).record(phase.slots)
    }
  }

  /// What was passed on already. A pure value.
  struct Tally {
    struct News: Equatable {
      var jobType: String
      var name: String
      var count: Int
    }

    var isConnected = false
    private var coordinator: String?
    private var last: [[Int]] = []

    private static let names = [
      "enqueued", "attempts_started", "attempts_succeeded", "attempts_failed", "attempts_crashed", "retries", "dead",
    ]

    init() {}

    /// - Returns: what was counted since the last call; nothing the first time.
    mutating func news(in totals: TotalsDocument) -> [News] {
      let counts = totals.phases.map { phase in
        [phase.enqueued, phase.started, phase.succeeded, phase.failed, phase.crashed, phase.retried, phase.dead]
      }
      defer { (coordinator, last) = (totals.coordinator, counts) }
      guard let coordinator else { return [] }
      let before = coordinator == totals.coordinator && last.count == counts.count ? last : []
      return zip(totals.phases, counts).enumerated().flatMap { index, phase in
        zip(Self.names, phase.1).enumerated().compactMap { number, count in
          let news = count.1 - (before.isEmpty ? 0 : before[index][number])
          return news > 0 ? News(jobType: phase.0.jobType, name: count.0, count: news) : nil
        }
      }
    }
  }
}
