internal import ArgumentParser
internal import CarbonTube
internal import PipelineModel

/// When jobs have changed that a command means.
struct JobSpanOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Jobs that have changed since, e.g. 10m or 2030-01-31T12:00:00Z.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("Jobs that have not changed after, e.g. 2h or 2030-01-31T12:00:00Z.", valueName: "time"))
  var until: String?

  var isEmpty: Bool { since == nil && until == nil }

  func validate() throws { _ = try span(now: .now()) }

  /// - Parameter now: what ages are counted from.
  func span(now: Timestamp) throws -> ClosedRange<Timestamp> {
    let first = try since.map { try Self.moment($0, of: "--since", now: now) }
    let last = try until.map { try Self.moment($0, of: "--until", now: now) }
    let (low, high) = (first ?? Timestamp(milliseconds: .min), last ?? Timestamp(milliseconds: .max))
    guard low <= high else { throw ValidationError("--since is later than --until, so that no job can match") }
    return low...high
  }

  private static func moment(_ word: String, of option: String, now: Timestamp) throws -> Timestamp {
    guard let moment = Timestamp(timeOrAge: word, now: now) else {
      throw ValidationError(
        "\(option) '\(excerpt(word))' is neither an age such as 30s, 10m, 2h or 7d nor a time like 2030-01-31T12:00:00Z"
      )
    }
    return moment
  }
}

/// Goes through the jobs that match, newest first, page by page.
struct JobScan {
  struct Found {
    var job: JobDocument
    var payload: [UInt8]
  }

  let connection: CoordinatorConnection
  let selection: JobSelection
  /// Part of the instructions.
  var containing: String?

  private static let jobsPerPage = 200

  /// - Parameters:
  ///   - limit: no page has more than this.
  ///   - take: gets each page, which may be empty; answers whether to go on.
  /// - Returns: whether there were more.
  private func eachPage(atMost limit: Int, _ take: ([Found]) -> Bool) throws(CommandFailure) -> Bool {
    var cursor: String?
    repeat {
      // Whoever searches is given a page for each bite of the search, however few are on it.
      let page = containing == nil ? min(limit, Self.jobsPerPage) : Self.jobsPerPage
      let answer = try connection.ask(
        Verbs.Jobs.self, .init(selection.arguments(), containing: containing, cursor: cursor, limit: page))
      let document = try answer.document()
      cursor = document.next
      guard take(zip(document.jobs, answer.payloads).map { Found(job: $0, payload: $1) }) else { return cursor != nil }
    } while cursor != nil && !StandardStreams.nobodyReads
    return false
  }

  /// - Returns: whether there are more than `limit`.
  func show(_ limit: Int, _ output: inout JobOutput) throws(CommandFailure) -> Bool {
    var left = limit
    var hasMore = false
    let isUnread = try eachPage(atMost: limit) { page in
      hasMore = page.count > left
      for found in page.prefix(left) { output.add(found) }
      left -= min(left, page.count)
      output.endPage()
      return left > 0
    }
    return hasMore || isUnread
  }

  func count() throws(CommandFailure) -> Int {
    var count = 0
    _ = try eachPage(atMost: .max) { page in
      count += page.count
      return true
    }
    return count
  }

  /// The last that are found are kept, and no others.
  func showOldest(_ limit: Int, _ output: inout JobOutput) throws(CommandFailure) {
    var kept: [Found] = []
    _ = try eachPage(atMost: .max) { page in
      kept += page
      if kept.count > limit { kept.removeFirst(kept.count - limit) }
      return true
    }
    for found in kept.reversed() { output.add(found) }
    output.endPage()
  }
}
