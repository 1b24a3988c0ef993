internal import ArgumentParser
internal import CarbonTube

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show a pipeline's queues, workers and storage.",
    usage: "carbontube status [<options>]")

  @OptionGroup var watching: WatchOptions
  @OptionGroup var coordinator: CoordinatorOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try watching.show(from: coordinator, isJSON: output.form.isDocument, look)
  }

  private func look(_ connection: CoordinatorConnection, _ sheet: inout Sheet) throws {
    let answer = try connection.ask(Verbs.Status.self, NoArguments())
    sheet.take(output.form)
    guard !output.form.isDocument else {
      return sheet.add(String(decoding: answer.json, as: UTF8.self), as: output.form)
    }
    let status = try answer.document()
    let totals = try connection.ask(Verbs.Totals.self, NoArguments()).document()
    for line in status.headlines + totals.headlines { sheet.add(line) }
    sheet.add("")
    sheet.add(status.phaseTable)
    sheet.add("")
    if status.hasJobsAhead {
      sheet.add("+N: waiting at a worker, which was given them ahead of time and runs them next")
      sheet.add("")
    }
    if status.workers.isEmpty {
      sheet.add("no workers; start one with: carbontube phase LIB JOB_TYPE")
    } else {
      sheet.add(status.workerTable)
    }
  }
}

extension TotalsDocument {
  var headlines: [String] {
    guard let first = phases.first, let last = phases.last else { return [] }
    let dead = phases.reduce(0) { $0 + $1.dead }
    return ["since its start: \(first.enqueued) enqueued, \(last.succeeded) succeeded, \(dead) dead"]
  }
}

extension StatusDocument.Phase {
  /// What an operator should know at a glance.
  var remark: String {
    if paused { return "paused" }
    if let note, !note.isEmpty { return note }
    return workers == 0 && waiting > 0 ? "nobody serves it: its jobs wait" : ""
  }
}

extension StatusDocument.Worker {
  /// At most one job runs in each slot; what else it was given waits there.
  var busy: Int { min(inFlight, concurrency) }
  var ahead: Int { inFlight - busy }
  var seen: String { "\(RelativeTime.duration(heartbeatAgeMs)) ago" }
}

extension StatusDocument {
  var headlines: [String] {
    var lines = ["pipeline \(pipeline)\(paused ? " (paused)" : ""), up \(RelativeTime.duration(uptimeMs))"]
    lines.append("storage \(store.address) is \(store.state)" + (store.problem.map { ": \($0)" } ?? ""))
    let dead = phases.reduce(0) { $0 + $1.dead }
    lines.append("kept: \(succeeded) succeeded, \(cancelled) cancelled, \(dead) dead")
    return lines + (warnings ?? []).map { "warning: \($0)" }
  }

  /// A worker is given a few jobs more than it runs, so that none of its slots waits for the next.
  var hasJobsAhead: Bool { phases.contains { ahead(of: $0) > 0 } || workers.contains { $0.inFlight > $0.busy } }

  private func ahead(of phase: Phase) -> Int {
    let busy = workers.filter { $0.jobType == phase.jobType }.reduce(0) { $0 + $1.busy }
    return max(0, phase.running - busy)
  }

  static func text(_ running: String, ahead: Int) -> String { ahead > 0 ? "\(running) +\(ahead)" : running }

  var phaseTable: TextTable {
    var table = TextTable([
      .name("PHASE"), .figure("WAITING"), .figure("DELAYED", spare: 3), .figure("RUNNING"), .figure("DEAD"),
      .figure("WORKERS", spare: 1), .figure("SLOTS", spare: 2), .words("NOTE"),
    ])
    for phase in phases {
      let ahead = ahead(of: phase)
      table.add([
        phase.jobType, String(phase.waiting), String(phase.delayed),
        Self.text("\(phase.running - ahead)", ahead: ahead),
        String(phase.dead), String(phase.workers), String(phase.slots), phase.remark,
      ])
    }
    return table
  }

  var workerTable: TextTable {
    var table = TextTable([
      .name("WORKER"), .words("PHASE"), .state("STATE"), .figure("BUSY"), .figure("SUCCEEDED", spare: 2),
      .figure("FAILED", spare: 3), .figure("PLUGIN", spare: 4), .figure("HEARD", spare: 1), .words("NOTE"),
    ])
    for worker in workers {
      table.add([
        worker.id, worker.jobType, worker.state,
        Self.text("\(worker.busy)/\(worker.concurrency)", ahead: worker.ahead), String(worker.succeeded),
        String(worker.failed), worker.plugin, worker.seen, worker.reason ?? "",
      ])
    }
    return table
  }
}
