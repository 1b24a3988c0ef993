internal import PipelineModel
internal import WireProtocol

/// Reports that the coordinator has not acknowledged yet. A pure value: the worker sends what `take` returns.
struct Outbox {
  private struct Entry {
    var report: AttemptReport
    var instructions: [UInt8]?
    var pipeline: String
    var sentAt: Instant?
    /// How often it was sent without an answer.
    var repeats = 0

    var bytes: Int { headerBytes + (instructions?.count ?? 0) }

    /// At most what it takes in a header.
    var headerBytes: Int {
      let error = report.error
      let texts = (error?.type.utf8.count ?? 0) + (error?.message.utf8.count ?? 0) + (error?.location.utf8.count ?? 0)
      return 56 + report.job.text.utf8.count + texts + (error?.standardErrorTail.utf8.count ?? 0)
    }
  }

  /// Unanswered reports are sent again after this long, then after twice as long, and so on up to `longestPatience`.
  static let patienceMilliseconds: Int64 = 1_000
  static let longestPatience: Int64 = 16_000
  /// While more waits here, no job is begun: results must not fill memory while no coordinator takes them.
  static let capacity = (reports: Hello.maximumInFlight, bytes: 256 << 20)

  private var entries: [LeaseToken: Entry] = [:]
  /// In the order of `add`; tokens that were settled meanwhile are passed over.
  private var unsent: [LeaseToken] = []
  /// Of what is kept, payloads and headers.
  private(set) var bytes = 0

  var tokens: Dictionary<LeaseToken, some Any>.Keys { entries.keys }
  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var hasUnsent: Bool { !unsent.isEmpty }
  /// For the outcomes of further jobs.
  var hasRoom: Bool { entries.count < Self.capacity.reports && bytes < Self.capacity.bytes }

  mutating func add(_ report: AttemptReport, instructions: [UInt8]?, pipeline: String) {
    var report = report
    report.error = report.error.map(bounded)
    let entry = Entry(report: report, instructions: instructions, pipeline: pipeline)
    if let former = entries.updateValue(entry, forKey: report.token) { bytes -= former.bytes }
    bytes += entry.bytes
    unsent.append(report.token)
  }

  mutating func settle(_ tokens: [LeaseToken]) {
    for token in tokens {
      if let entry = entries.removeValue(forKey: token) { bytes -= entry.bytes }
    }
  }

  /// Marks reports without an answer for sending again: those older than their patience, or all.
  mutating func expire(now: Instant, all: Bool = false) {
    for (token, entry) in entries {
      guard let sentAt = entry.sentAt else { continue }
      let patience = min(Self.patienceMilliseconds << Int64(min(entry.repeats, 10)), Self.longestPatience)
      guard all || now - sentAt >= patience else { continue }
      entries[token]?.sentAt = nil
      entries[token]?.repeats = all ? 0 : entry.repeats + 1
      unsent.append(token)
    }
  }

  /// What `take` gave could not be sent: it is next again.
  mutating func putBack(_ message: Message) {
    for token in message.tokens { entries[token]?.sentAt = nil }
    unsent.insert(contentsOf: message.tokens, at: 0)
  }

  struct Message {
    let frames: [[UInt8]]
    let tokens: [LeaseToken]
  }

  /// The next message: reports of one pipeline with their payloads, bounded in count and size. Nil: nothing to send.
  /// - Parameter payloadLimit: bytes of payloads in one message; a single payload may be larger.
  mutating func take(worker: WorkerID, now: Instant, payloadLimit: Int = 4 << 20) -> Message? {
    var reports: [AttemptReport] = []
    var payloads: [[UInt8]] = []
    var pipeline: String?
    var (headerBytes, payloadBytes, looked) = (256, 0, 0)
    for token in unsent {
      guard let entry = entries[token], entry.sentAt == nil else {
        looked += 1
        continue
      }
      let (header, payload) = (headerBytes + entry.headerBytes, payloadBytes + (entry.instructions?.count ?? 0))
      let isFull =
        reports.count >= AttemptReports.maximumReports || header > AttemptReports.maximumHeaderBytes
        || payload > payloadLimit
      guard reports.isEmpty || !isFull, pipeline == nil || pipeline == entry.pipeline else { break }
      (pipeline, headerBytes, payloadBytes) = (entry.pipeline, header, payload)
      reports.append(entry.report)
      if let instructions = entry.instructions { payloads.append(instructions) }
      entries[token]?.sentAt = now
      looked += 1
    }
    unsent.removeFirst(looked)
    guard let pipeline, !reports.isEmpty else { return nil }
    let header = AttemptReports(worker: worker, pipeline: pipeline, reports: reports).encoded()
    return Message(frames: [header] + payloads, tokens: reports.map(\.token))
  }
}

/// Texts within what a report may carry; of the output of a child the end says most.
private func bounded(_ error: JobError) -> JobError {
  JobError(
    type: truncated(error.type, toBytes: 256),
    message: truncated(error.message, toBytes: AttemptReports.maximumErrorBytes),
    location: truncated(error.location, toBytes: 1_024),
    standardErrorTail: lastBytes(of: error.standardErrorTail, AttemptReports.maximumTailBytes))
}

private func lastBytes(of text: String, _ limit: Int) -> String {
  guard text.utf8.count > limit else { return text }
  // Half a character at the cut is left out.
  let tail = text.utf8.suffix(limit).drop { $0 & 0xc0 == 0x80 }
  return String(decoding: tail, as: UTF8.self)
}
