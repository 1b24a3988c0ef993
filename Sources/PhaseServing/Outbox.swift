internal import PipelineModel
internal import WireProtocol

/// Reports that the coordinator has not acknowledged yet. A pure value: the worker sends what `take` returns.
struct Outbox {
  private struct Entry {
    var report: AttemptReport
    var instructions: [UInt8]?
    var pipeline: String
    var sentAt: Timestamp?
  }

  /// Unanswered reports are sent again after this long.
  static let patienceMilliseconds: Int64 = 1_000

  private var entries: [LeaseToken: Entry] = [:]
  /// In the order of `add`; tokens that were settled meanwhile are passed over.
  private var unsent: [LeaseToken] = []

  var tokens: Dictionary<LeaseToken, some Any>.Keys { entries.keys }
  var isEmpty: Bool { entries.isEmpty }
  var hasUnsent: Bool { !unsent.isEmpty }

  mutating func add(_ report: AttemptReport, instructions: [UInt8]?, pipeline: String) {
    entries[report.token] = Entry(report: report, instructions: instructions, pipeline: pipeline)
    unsent.append(report.token)
  }

  mutating func settle(_ tokens: [LeaseToken]) {
    for token in tokens { entries[token] = nil }
  }

  /// Marks reports without an answer for sending again: those older than the patience, or all.
  mutating func expire(now: Timestamp, all: Bool = false) {
    for (token, entry) in entries {
      guard let sentAt = entry.sentAt, all || now - sentAt >= Self.patienceMilliseconds else { continue }
      entries[token]?.sentAt = nil
      unsent.append(token)
    }
  }

  /// The next message: reports of one pipeline with their payloads, bounded in count and size. Nil: nothing to send.
  mutating func take(worker: WorkerID, now: Timestamp) -> [[UInt8]]? {
    var reports: [AttemptReport] = []
    var payloads: [[UInt8]] = []
    var pipeline: String?
    var bytes = 0
    var taken = 0
    for token in unsent {
      guard let entry = entries[token], entry.sentAt == nil else {
        taken += 1
        continue
      }
      let size = (entry.instructions?.count ?? 0) + (entry.report.error?.standardErrorTail.utf8.count ?? 0)
      let isFull = reports.count >= AttemptReports.maximumReports || (!reports.isEmpty && bytes + size > 4 << 20)
      guard !isFull, pipeline == nil || pipeline == entry.pipeline else { break }
      pipeline = entry.pipeline
      bytes += size
      reports.append(entry.report)
      if let instructions = entry.instructions { payloads.append(instructions) }
      entries[token]?.sentAt = now
      taken += 1
    }
    unsent.removeFirst(taken)
    guard let pipeline, !reports.isEmpty else { return nil }
    return [AttemptReports(worker: worker, pipeline: pipeline, reports: reports).encoded()] + payloads
  }
}
