internal import DequeModule
internal import PipelineModel
internal import WireProtocol

/// Reports that the coordinator has not acknowledged yet. A pure value: the worker sends what `take` returns.
struct Outbox {
  /// A report and what belongs to it. An object, since it goes from one list to the other: as a value all of it would be
  /// moved.
  private final class Letter: Sendable {
    let report: AttemptReport
    let instructions: [UInt8]?
    let pipeline: String
    /// At most what it takes in a header.
    let headerBytes: Int

    init(_ report: AttemptReport, _ instructions: [UInt8]?, _ pipeline: String) {
      self.report = report
      self.instructions = instructions
      self.pipeline = pipeline
      headerBytes = 56 + report.job.text.utf8.count + (report.error.map(textBytes) ?? 0)
    }

    var payloadBytes: Int { instructions?.count ?? 0 }
    var bytes: Int { headerBytes + payloadBytes }
  }

  private struct Sent {
    let letter: Letter
    let at: Instant
    /// How often it was sent without an answer.
    let repeats: Int
  }

  /// Unanswered reports are sent again after this long, then after twice as long, and so on up to `longestPatience`.
  static let patienceMilliseconds: Int64 = 1_000
  static let longestPatience: Int64 = 16_000
  /// While more waits here, no job is begun: results must not fill memory while no coordinator takes them.
  static let capacity = (reports: Hello.maximumInFlight, bytes: 256 << 20)

  /// In the order in which they are to go out, with how often each was sent without an answer.
  private var unsent: Deque<(letter: Letter, repeats: Int)> = []
  private var sent: [LeaseToken: Sent] = [:]
  /// Of what is kept, payloads and headers.
  private(set) var bytes = 0

  var tokens: [LeaseToken] { unsent.map(\.letter.report.token) + sent.keys }
  var isEmpty: Bool { unsent.isEmpty && sent.isEmpty }
  var count: Int { unsent.count + sent.count }
  var hasUnsent: Bool { !unsent.isEmpty }
  /// For the outcomes of further jobs.
  var hasRoom: Bool { count < Self.capacity.reports && bytes < Self.capacity.bytes }

  mutating func add(_ report: AttemptReport, instructions: [UInt8]?, pipeline: String) {
    var report = report
    if let error = report.error { report.error = bounded(error) }
    let letter = Letter(report, instructions, pipeline)
    bytes += letter.bytes
    unsent.append((letter, 0))
  }

  mutating func settle(_ tokens: [LeaseToken]) {
    var others: Set<LeaseToken> = []
    for token in tokens {
      if let answered = sent.removeValue(forKey: token) { bytes -= answered.letter.bytes } else { others.insert(token) }
    }
    // Those that wait to be sent again, or that nobody wants any more.
    guard !others.isEmpty, !unsent.isEmpty else { return }
    for (letter, _) in unsent where others.contains(letter.report.token) { bytes -= letter.bytes }
    unsent.removeAll { others.contains($0.letter.report.token) }
  }

  /// Marks reports without an answer for sending again: those older than their patience, or all.
  mutating func expire(now: Instant, all: Bool = false) {
    let due = sent.filter { _, sent in
      let patience = min(Self.patienceMilliseconds << Int64(min(sent.repeats, 10)), Self.longestPatience)
      return all || now - sent.at >= patience
    }
    for (token, sent) in due {
      self.sent[token] = nil
      unsent.append((sent.letter, all ? 0 : sent.repeats + 1))
    }
  }

  /// What `take` gave could not be sent: it is next again.
  mutating func putBack(_ message: Message) {
    for token in message.tokens.reversed() {
      if let former = sent.removeValue(forKey: token) { unsent.prepend((former.letter, former.repeats)) }
    }
  }

  struct Message {
    let frames: [[UInt8]]
    let tokens: [LeaseToken]
  }

  /// The next message: reports of one pipeline with their payloads, bounded in count and size. Nil: nothing to send.
  /// - Parameter payloadLimit: bytes of payloads in one message; a single payload may be larger.
  mutating func take(worker: WorkerID, now: Instant, payloadLimit: Int = 4 << 20) -> Message? {
    guard let pipeline = unsent.first?.letter.pipeline else { return nil }
    var reports: [AttemptReport] = []
    var payloads: [[UInt8]] = []
    var (headerBytes, payloadBytes) = (256, 0)
    while let (letter, repeats) = unsent.first, letter.pipeline == pipeline {
      headerBytes += letter.headerBytes
      payloadBytes += letter.payloadBytes
      let isFull =
        reports.count >= AttemptReports.maximumReports || headerBytes > AttemptReports.maximumHeaderBytes
        || payloadBytes > payloadLimit
      guard reports.isEmpty || !isFull else { break }
      unsent.removeFirst()
      reports.append(letter.report)
      if let instructions = letter.instructions { payloads.append(instructions) }
      keep(Sent(letter: letter, at: now, repeats: repeats))
    }
    let header = AttemptReports(worker: worker, pipeline: pipeline, reports: reports).encoded()
    return Message(frames: [header] + payloads, tokens: reports.map(\.token))
  }

  private mutating func keep(_ letter: Sent) {
    if let former = sent.updateValue(letter, forKey: letter.letter.report.token) { bytes -= former.letter.bytes }
  }
}

private func textBytes(_ error: JobError) -> Int {
  error.type.utf8.count + error.message.utf8.count + error.location.utf8.count + error.standardErrorTail.utf8.count
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
