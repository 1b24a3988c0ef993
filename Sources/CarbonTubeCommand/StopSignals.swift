internal import Dispatch
internal import Glibc

/// SIGTERM, SIGINT and SIGHUP, counted: the first asks for an orderly end, the second for the quickest.
///
/// Dispatch sources rather than an async sequence: the handlers must be in place before the command goes on, and the
/// main thread of these commands blocks.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// - Parameter heard: called on a thread of its own with 1 for the first signal, 2 for the second, and so on.
  init(_ heard: @escaping @Sendable (Int) -> Void) {
    let queue = DispatchQueue(label: "carbontube.signals")
    let count = SignalCount()
    let registered = DispatchGroup()
    sources = Self.heeded().map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if number == SIGHUP, LogFile.reopen() { return }
        // A terminal that closes may say so twice, by the kernel and by the shell.
        if number == SIGHUP, count.number > 0 { return }
        count.number += 1
        heard(count.number)
      }
      registered.enter()
      source.setRegistrationHandler { registered.leave() }
      source.resume()
      return source
    }
    // Until then a signal ends this process, as it should where nothing has begun. It must not be ignored: whoever has read
    // that this serves, or has a supervisor stop it, waits for its end.
    registered.wait()
  }

  /// SIGHUP unless whoever started this has it ignored, as nohup(1) does; where there is a log file it means that one.
  private static func heeded() -> [Int32] {
    var former = sigaction()
    sigaction(SIGHUP, nil, &former)
    let isIgnored = unsafeBitCast(former.__sigaction_handler.sa_handler, to: Int.self) == 1
    return [SIGTERM, SIGINT] + (isIgnored && LogFile.descriptor == nil ? [] : [SIGHUP])
  }

  deinit {
    for source in sources { source.cancel() }
  }
}

/// Touched on the signals' queue alone.
private final class SignalCount: @unchecked Sendable {
  var number = 0
}
