public import PipelineModel

/// Looks at the jobs of a store and changes nothing. Used by one thread at a time.
///
/// Every call is bounded in time and memory, whatever the store holds: what looks at many jobs does so a page at a time. A
/// call that fails, for want of an answer or because one job cannot be read, says nothing about the next.
public protocol JobReader: AnyObject {
  func counts() throws(StoreError) -> StoreCounts

  func job(_ id: JobID) throws(StoreError) -> JobRecord?

  /// The state of each job, in the order of `ids` (1,000 at most); nil for one that is not there.
  func states(of ids: [JobID]) throws(StoreError) -> [JobState?]

  /// A page of at most `limit` jobs whose instructions have `maximumBytes` together (one job at least), newest enqueued
  /// first. Looks at 10,000 jobs at most: where a filter matches rarely the page may be short, or empty, and still have a
  /// `next`.
  /// - Throws: `.badCursor` for a `cursor` that no page gave.
  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage

  /// Counts the jobs that match among the next `limit` at most; `next` goes on.
  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep

  /// Metrics of the minutes in `range`, ordered by minute and phase; minutes without events are left out.
  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics]

  func close()
}

extension JobReader {
  /// A page that is bounded in count alone.
  public func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage {
    try jobs(matching: filter, after: cursor, limit: limit, maximumBytes: .max)
  }
}
