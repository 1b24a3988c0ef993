import Glibc

/// Runs asynchronous code on the thread that waits for it. A phase that never suspends costs no thread change, one that
/// blocks holds up nobody else, and Swift's own pool is not entered unless the author's code asks for it.
final class JobThread: TaskExecutor, @unchecked Sendable {
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var queue: [UnownedJob] = []

  init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(arrival, nil)
  }

  deinit {
    pthread_cond_destroy(arrival)
    pthread_mutex_destroy(lock)
    arrival.deallocate()
    lock.deallocate()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(lock)
    queue.append(job)
    pthread_cond_signal(arrival)
    pthread_mutex_unlock(lock)
  }

  /// Blocks until `operation` is done. Calls must not overlap.
  /// - Parameter started: gets the task before it runs, so that it can be cancelled.
  func run<Value: Sendable>(
    started: (@escaping @Sendable () -> Void) -> Void, _ operation: @escaping @Sendable () async -> Value
  ) -> Value {
    let outcome = Outcome<Value>()
    let task = Task.detached(executorPreference: self) {
      outcome.value = await operation()
    }
    started { task.cancel() }
    while true {
      next().runSynchronously(on: asUnownedTaskExecutor())
      // Written by a job of this thread's own queue, if it is written at all.
      if let value = outcome.value { return value }
    }
  }

  private func next() -> UnownedJob {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while queue.isEmpty { pthread_cond_wait(arrival, lock) }
    return queue.removeFirst()
  }
}

/// Written and read on one thread only.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
  var value: Value?
}
