internal import ArgumentParser
internal import CarbonTube
internal import Dispatch
internal import Glibc
internal import PipelineModel
internal import Synchronization

/// How often a command shows again what it shows.
struct WatchOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, defaultAsFlag: 2.0,
    help: ArgumentHelp(
      "Show it again each so many seconds, until Ctrl-C: in place on a terminal, else one after the other.",
      valueName: "seconds"))
  var watch: Double?

  func validate() throws {
    guard let watch else { return }
    guard (0.1...86_400).contains(watch) else { throw ValidationError("--watch must be 0.1 to 86400 seconds") }
  }

  /// Once, or again and again where that was asked for.
  /// - Parameter look: as of `Watch.run`.
  func show(
    from coordinator: CoordinatorOptions, isJSON: Bool,
    _ look: (CoordinatorConnection, inout Sheet) throws -> Void
  ) throws {
    guard try !showAgainAndAgain(from: coordinator, isJSON: isJSON, look) else { return }
    var sheet = Sheet(.current())
    try look(try coordinator.connected(), &sheet)
    sheet.say()
  }

  /// - Returns: false, at once, where that was not asked for.
  func showAgainAndAgain(
    from coordinator: CoordinatorOptions, isJSON: Bool,
    _ look: (CoordinatorConnection, inout Sheet) throws -> Void
  ) throws -> Bool {
    guard let watch else { return false }
    let connection = try coordinator.connected(patienceSeconds: Watch.patienceSeconds)
    var screen = Watch(everySeconds: watch, connection, isJSON: isJSON)
    try screen.run(look)
    return true
  }
}

/// Shows something again and again, until a signal says that it is enough; a coordinator that goes away is waited for.
struct Watch {
  private let seconds: Double
  private let connection: CoordinatorConnection
  private let screen: TerminalScreen?
  private let isJSON: Bool
  private let calls = WatchCalls()
  /// What was shown last stays where the coordinator is away.
  private var last: [String] = []
  private var isAway = false
  private var hasShown = false

  /// Nobody who watches waits longer for an answer before it is said that none comes.
  static var patienceSeconds: Double { 3 }

  /// - Parameter isJSON: documents follow each other on a terminal as well.
  init(everySeconds seconds: Double, _ connection: CoordinatorConnection, isJSON: Bool) {
    self.seconds = seconds
    self.connection = connection
    screen = StandardStreams.outputIsTerminal && !isJSON ? TerminalScreen() : nil
    self.isJSON = isJSON
  }

  /// - Parameter look: asks anew and adds what it finds.
  /// - Throws: where there is nobody at first, or the coordinator refuses.
  mutating func run(_ look: (CoordinatorConnection, inout Sheet) throws -> Void) throws {
    let signals = StopSignals { [calls, connection] _ in
      calls.stop()
      connection.abandon()
    }
    let others = screen.map { TerminalSignals($0, calls) }
    defer {
      screen?.leave()
      withExtendedLifetime((signals, others)) {}
    }
    repeat {
      var sheet = Sheet(.current())
      do {
        try look(connection, &sheet)
        guard !calls.isStopped else { return }
        (last, isAway) = (sheet.lines, false)
        show(note: nil)
      } catch let failure as CommandFailure {
        guard !calls.isStopped else { return }
        guard hasShown, failure.status == .unavailable else { throw failure }
        wait(for: failure)
      }
    } while !StandardStreams.nobodyReads && !calls.isStopped(afterSeconds: seconds)
  }

  private mutating func show(note: String?) {
    hasShown = true
    let style = OutputStyle.current()
    guard !isJSON else { return Self.say(last) }
    let moment = Timestamp.now().iso8601
    guard let screen else {
      StandardStreams.say("at \(moment)")
      return Self.say(last + [""])
    }
    let heading = note ?? "every \(Self.text(seconds)) s, at \(moment); Ctrl-C ends"
    screen.draw(style.folded(heading) + [""] + last, rows: StandardStreams.rows(of: 1))
  }

  /// Said once where it would stay on the page, and again where it is drawn over.
  private mutating func wait(for failure: CommandFailure) {
    let note = "carbontube: \(failure.message); waiting for it"
    if screen != nil { show(note: note) } else if !isAway { StandardStreams.complain(note) }
    isAway = true
  }

  private static func say(_ lines: [String]) {
    for line in lines { StandardStreams.sayVerbatim(line) }
  }

  private static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
  }
}

/// What signals ask of a watch.
private final class WatchCalls: Sendable {
  private let called = DispatchSemaphore(value: 0)
  private let stopped = Mutex(false)

  var isStopped: Bool { stopped.withLock { $0 } }

  func stop() {
    stopped.withLock { $0 = true }
    called.signal()
  }

  /// Have it show everything now.
  func hurry() { called.signal() }

  func isStopped(afterSeconds seconds: Double) -> Bool {
    _ = called.wait(timeout: .now() + seconds)
    return isStopped
  }
}

/// A terminal that changes its size, and a shell that has the command wait (Ctrl-Z) and go on.
private final class TerminalSignals {
  private let sources: [any DispatchSourceSignal]

  init(_ screen: TerminalScreen, _ calls: WatchCalls) {
    let queue = DispatchQueue(label: "carbontube.terminal")
    signal(SIGTSTP, SIG_IGN)
    sources = [SIGWINCH, SIGTSTP, SIGCONT].map { DispatchSource.makeSignalSource(signal: $0, queue: queue) }
    sources[0].setEventHandler { calls.hurry() }
    sources[1].setEventHandler {
      screen.leave()
      kill(getpid(), SIGSTOP)
    }
    // Not behind the stop: it may take hold of this thread a little later.
    sources[2].setEventHandler {
      screen.enter()
      calls.hurry()
    }
    for source in sources { source.resume() }
  }

  deinit {
    for source in sources { source.cancel() }
    signal(SIGTSTP, SIG_DFL)
  }
}
