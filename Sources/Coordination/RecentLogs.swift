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

  private var lines: [JobID: Deque<Line>] = [:]
  private var order: Deque<JobID> = []
  private var size = 0

  func lines(of job: JobID) -> [Line] { lines[job].map { Array($0) } ?? [] }

  mutating func add(_ line: Line, of job: JobID) {
    if lines[job] == nil { order.append(job) }
    size += line.text.utf8.count
    lines[job, default: []].append(line)
    if lines[job, default: []].count > Self.linesPerJob, let oldest = lines[job]?.popFirst() {
      size -= oldest.text.utf8.count
    }
    while size > Self.bytes, order.count > 1, let forgotten = order.popFirst() {
      size -= lines.removeValue(forKey: forgotten)?.reduce(0) { $0 + $1.text.utf8.count } ?? 0
    }
  }
}
