internal import CarbonTube
internal import Glibc

/// The jobs of a file or of stdin, a line each, cut into batches: what is there is given out after a tenth of a second
/// without more.
struct BulkSource {
  struct Numbered {
    var line: Int
    var job: PipelineClient.Job
  }

  struct Malformed {
    var line: Int
    var reason: String
  }

  struct Batch {
    var jobs: [Numbered] = []
    var malformed: [Malformed] = []
    /// The last line that was read, with or without a job.
    var lastLine = 0
    var isLast = false
  }

  static let batchJobs = 2_000
  static let batchBytes = 8 << 20
  private static let patienceMilliseconds: Int32 = 100

  /// Nil: not known beforehand.
  let totalBytes: Int?
  private let isJobs: Bool
  private let run: String
  private let first: Int
  private let priority: Int
  private let delayMilliseconds: Int64
  private var lines: LineReader

  var bytesRead: Int { lines.bytesRead }

  /// - Parameters:
  ///   - path: nil: stdin.
  ///   - isJobs: lines are jobs with members of their own, not bare instructions.
  ///   - run: the first part of ids of jobs that have none.
  ///   - first: the line to begin with.
  init(
    _ path: String?, isJobs: Bool, run: String, first: Int, priority: Int, delayMilliseconds: Int64
  ) throws(CommandFailure) {
    let descriptor = path.map { open($0, O_RDONLY | O_CLOEXEC) } ?? STDIN_FILENO
    guard descriptor >= 0 else {
      throw CommandFailure(.noInput, "--file \(path ?? ""): \(String(cString: strerror(errno)))")
    }
    var found = stat()
    guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT != S_IFDIR else {
      throw CommandFailure(.noInput, "\(path ?? "stdin") is no file")
    }
    totalBytes = found.st_mode & S_IFMT == S_IFREG ? Int(found.st_size) : nil
    self.isJobs = isJobs
    self.run = run
    self.first = first
    self.priority = priority
    self.delayMilliseconds = delayMilliseconds
    lines = LineReader(descriptor, limit: InstructionsJSON.maximumBytes)
  }

  /// Blocks until there is something, or the patience has passed `isStopped`.
  mutating func next(isStopped: () -> Bool) throws(CommandFailure) -> Batch {
    var batch = Batch()
    var bytes = 0
    while batch.jobs.count < Self.batchJobs, bytes < Self.batchBytes, batch.malformed.count < 100 {
      switch try lines.next(withinMilliseconds: Self.patienceMilliseconds) {
      case .nothing:
        if isStopped() || !batch.jobs.isEmpty || !batch.malformed.isEmpty { return batch }
      case .end:
        batch.isLast = true
        return batch
      case .tooLong(let line):
        batch.lastLine = line
        if line >= first {
          batch.malformed.append(Malformed(line: line, reason: "has more than \(InstructionsJSON.maximumBytes) bytes"))
        }
      case .line(let line, let text):
        batch.lastLine = line
        guard line >= first, !text.allSatisfy(JSONMembers.isBlank) else { continue }
        bytes += text.count
        do throws(JobTextError) {
          batch.jobs.append(Numbered(line: line, job: try job(in: text, line)))
        } catch {
          batch.malformed.append(Malformed(line: line, reason: "\(error)"))
        }
      }
      if isStopped() { return batch }
    }
    return batch
  }

  private func job(in text: [UInt8], _ line: Int) throws(JobTextError) -> PipelineClient.Job {
    // The end of a line that was written elsewhere.
    let text = text.last == UInt8(ascii: "\r") ? Array(text.dropLast()) : text
    var job: PipelineClient.Job
    if isJobs {
      job = try PipelineClient.Job(json: text, priority: priority, delayMilliseconds: delayMilliseconds)
    } else {
      job = try PipelineClient.Job(instructionsOf: text)
      job.priority = priority
      job.delayMilliseconds = delayMilliseconds
    }
    if job.id == nil { job.id = "\(run)-\(line)" }
    return job
  }
}
