internal import Dispatch
internal import Glibc

/// SIGTERM and SIGINT, counted: the first asks for an orderly end, the second for the quickest.
///
/// Dispatch sources rather than an async sequence: the handlers must be in place before the command goes on, and the
/// main thread of these commands blocks.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// - Parameter heard: called on a thread of its own with 1 for the first signal, 2 for the second, and so on.
  init(_ heard: @escaping @Sendable (Int) -> Void) {
    let queue = DispatchQueue(label: "carbontube.signals")
    let count = SignalCount()
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        count.number += 1
        heard(count.number)
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
  }
}

/// Touched on the signals' queue alone.
private final class SignalCount: @unchecked Sendable {
  var number = 0
}
