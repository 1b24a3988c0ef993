internal import DequeModule
internal import PipelineModel
internal import WireProtocol

/// The last lines that jobs have logged, for whoever looks at one of them. In memory only, and bounded: the jobs that
/// spoke longest ago are forgotten first.
struct RecentLogs {
  struct Line {
    var at: Timestamp
    var level: LogLine.Level
    var text: String
  }

  static let linesPerJob = 200
  static let bytes = 4 << 20
  /// What a line, and a job, costs beside its text: an empty line is not free.
  static let lineBytes = 64
  static let jobBytes = 320

  private var lines: [JobID: Deque<Line>] = [:]
  private var order: Deque<JobID> = []
  private var size = 0

  func lines(of job: JobID) -> [Line] { lines[job].map { Array($0) } ?? [] }

  mutating func add(_ line: Line, of job: JobID) {
    if lines[job] == nil {
      order.append(job)
      size += Self.jobBytes
    }
    size += cost(line)
    lines[job, default: []].append(line)
    if lines[job, default: []].count > Self.linesPerJob, let oldest = lines[job]?.popFirst() {
      size -= cost(oldest)
    }
    while size > Self.bytes, order.count > 1, let forgotten = order.popFirst() {
      size -= Self.jobBytes + (lines.removeValue(forKey: forgotten) ?? []).reduce(0) { $0 + cost($1) }
    }
  }

  private func cost(_ line: Line) -> Int { Self.lineBytes + line.text.utf8.count }
}
