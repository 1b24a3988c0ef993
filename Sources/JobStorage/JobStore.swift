/// Keeps the queues, jobs and metrics of one pipeline: all that a coordinator asks of a store, put together from what is
/// asked for one purpose each.
///
/// A store is used by one thread at a time (the coordinator's store executor); calls block until the answer is there, and
/// for a bounded time at most (5 s unless the address says otherwise). It reads no clock: every time is an argument.
/// One contract (JobStorageContract) holds for all stores, in this package and others; a new one is done when it does all
/// that is there.
///
/// Within a phase, jobs of a higher priority go first; equal ones in the order in which they came into the queue.
/// Released jobs go to the front of their priority, in the order of `StoreTurn.settlements`. Delayed jobs come into the
/// queue by due time, those due in the same millisecond as they were enqueued.
///
/// Tokens start, at each `open`, at no less than `now` in milliseconds times 1,024: they rise even where the store
/// lost its latest writes to a power cut.
///
/// Ids, states, phases and tokens are kept as documented on the types; nothing is written for a `.stale` or
/// `.duplicate` answer.
public protocol JobStore: StoreOwnership, JobTable, JobActions, StoreMarks, JobReader {
  /// A reader of its own connection, so that looking never stands in the way of a turn; nil for a store that is asked in
  /// the event loop itself. Asked after `open`; a reader outlives a failure of the store and may be closed at any time.
  func makeReader() throws(StoreError) -> (any JobReader)?

  /// Gives up ownership and closes. Never fails; the store can be opened again.
  func close()
}
