internal import DequeModule
internal import PipelineModel
internal import WireProtocol

/// What phases have logged and what became of attempts that did not succeed, for whoever follows it. In memory only, and
/// bounded: the oldest is forgotten first. A pure value.
struct EventJournal {
  struct Entry {
    var at: Timestamp
    var level: LogLine.Level
    var text: String
    var job: JobID?
    /// Nil for what belongs to none.
    var phase: String?
    var worker: WorkerID?
    /// The number of the attempt, and the build that ran it: of the end of one alone.
    var attempt: Int?
    var build: String?
  }

  struct Filter {
    var job: JobID?
    var phase: String?
    var level = LogLine.Level.debug

    func fits(_ entry: Entry) -> Bool {
      entry.level.rawValue >= level.rawValue && (job == nil || entry.job == job)
        && (phase == nil || entry.phase == phase)
    }
  }

  struct Page {
    var entries: [Entry] = []
    /// The number to ask for the next ones with.
    var next: Int
    /// How many that were asked for had been forgotten.
    var dropped = 0
  }

  static let bytes = 4 << 20
  /// What an entry costs beside its texts.
  static let entryBytes = 192
  static let pageLimit = 1_000

  private var entries: Deque<Entry> = []
  private var size = 0
  /// Of the entry that comes next; the first is 1.
  private var next = 1

  mutating func add(_ entry: Entry) {
    entries.append(entry)
    next += 1
    size += cost(entry)
    while size > Self.bytes, entries.count > 1, let forgotten = entries.popFirst() { size -= cost(forgotten) }
  }

  /// - Parameters:
  ///   - after: the `next` of the page before; nil: the last ones that there are.
  ///   - limit: of entries; 1 to `pageLimit`.
  func page(after: Int?, _ filter: Filter, limit: Int) -> Page {
    guard let after else { return Page(entries: last(filter, limit), next: next) }
    let first = next - entries.count
    // A number of another coordinator's is taken for the beginning.
    let start = after > next || after < 0 ? first : max(first, after)
    var page = Page(next: start, dropped: max(0, start - max(after, 1)))
    while page.next < next, page.entries.count < limit {
      let entry = entries[page.next - first]
      if filter.fits(entry) { page.entries.append(entry) }
      page.next += 1
    }
    return page
  }

  private func last(_ filter: Filter, _ limit: Int) -> [Entry] {
    var found: [Entry] = []
    for entry in entries.reversed() where filter.fits(entry) {
      found.append(entry)
      if found.count == limit { break }
    }
    return found.reversed()
  }

  private func cost(_ entry: Entry) -> Int { Self.entryBytes + entry.text.utf8.count }
}
