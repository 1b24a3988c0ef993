import CHostProcess
import Glibc
public import HostProtocol

/// One child process with one plugin, seen from its parent.
///
/// Nothing here blocks but `finish()` and `wait`, so it fits an event loop: poll `channel`, `processDescriptor` and
/// `standardError` for input, `channel` for output while `wantsWrite`; then call `receive()`, `drainStandardError()`,
/// `flush()`.
///
/// Between this process and the child stands its guard, which ends when the child and all that it has started are gone.
///
/// Belongs to the thread that made it, and that thread must outlive it: the child is killed when the thread that spawned
/// it ends. Letting go of the last reference kills and reaps the child.
public final class PluginHost {
  /// The most that one `receive()` or `drainStandardError()` reads, so that one child that floods leaves time for others.
  private static let readingQuota = 1 << 20

  public let configuration: PluginHostConfiguration
  /// Of the child's guard.
  public var processID: Int32 { process.processID }
  /// Of the process that holds the plugin; nil before it is there and after it has ended.
  public var pluginProcessID: Int32? { process.childProcessID }
  /// A pidfd: poll for POLLIN, which tells that the child has ended, whoever still holds its channel.
  public var processDescriptor: Int32 { process.descriptor }
  /// The job channel: poll for POLLIN, and for POLLOUT while `wantsWrite`. Once the child has closed its end it stands
  /// for what `processDescriptor` does.
  public var channel: Int32 { channels.jobs }
  /// What the child writes to stdout and stderr: poll for POLLIN until `standardErrorIsOpen` is false.
  public var standardError: Int32 { channels.standardError }
  public private(set) var standardErrorIsOpen = true
  /// Tokens of jobs and hook calls without a result, in the order given. The first is the one that runs, or is about
  /// to: a crash is its crash; those after it did not begin.
  public private(set) var outstanding: [UInt64] = []

  /// It has said that it is the host program of this build, or something else that only that can say. What ends or goes
  /// wrong before is not the plugin's doing.
  public private(set) var hasBegun = false

  private let process: GuardedProcess
  private let channels: HostChannels
  private let folder: ChildFolder?
  private var incoming: FrameBuffer
  private var outgoing = OutgoingBytes()
  private var outgoingControl = OutgoingBytes()
  private var tail = OutputTail(capacity: 4 * OutputTail.capacity)
  private var unfinishedLine: [UInt8] = []
  /// Nothing more is read from the channel.
  private var channelIsOver = false
  private var channelFault: String?
  /// `.closed` was given out.
  private(set) var isClosed = false
  private var wasKilled = false
  private var wasAskedToStop = false
  private var exit: HostExit?

  /// Spawns the child and returns at once; `.ready` or `.refused` follows.
  public init(_ configuration: PluginHostConfiguration) throws(HostSpawnError) {
    self.configuration = configuration
    let setup = configuration.setup
    // Nobody would take it in, and the child's reason would be a riddle.
    guard setup.map({ $0.byteCount <= HostSetup.maximumBytes }) ?? true else {
      throw HostSpawnError(
        operation: "settings and variables have more than \(HostSetup.maximumBytes) bytes", errno: E2BIG)
    }
    if let parent = configuration.workDirectory { ChildFolder.removeAbandoned(below: parent) }
    folder = try configuration.workDirectory.map { parent throws(HostSpawnError) in try ChildFolder(below: parent) }
    let channels = try HostChannels()
    defer { channels.closeChildEnds() }
    do throws(HostSpawnError) {
      process = try spawnGuarded(configuration, workFolder: folder?.path, on: channels)
    } catch {
      channels.closeParentEnds()
      throw error
    }
    self.channels = channels
    // A description is small; a scan of a hostile file must not fill memory.
    incoming = configuration.role == .scan ? FrameBuffer(limit: 1 << 20) : FrameBuffer()
    if let setup { send(.setup(setup)) }
  }

  deinit {
    if exit == nil {
      process.give(HOST_ORDER_END)
      _ = process.reap()
    }
    channels.closeParentEnds()
    close(process.descriptor)
  }

  /// Returns when the work folders of children that have ended are removed: for a program that is about to end. Blocks.
  public static func waitForRemovals() { ChildFolder.waitForRemovals() }

  // MARK: To the child

  /// Queues a job; it may be given before `.ready` and while another one runs, then it waits in the child.
  public func run(_ job: HostJob) {
    queue(job)
    outgoing.flush(into: channels.jobs)
  }

  /// As `run`, for one of several that go out together with the next `flush()`.
  public func queue(_ job: HostJob) {
    outstanding.append(job.token)
    outgoing.append(HostRequest.job(job).encoded())
  }

  /// Queues a hook call. Only for a child with the role `.pipeline`.
  public func call(_ call: HostHookCall) {
    outstanding.append(call.token)
    send(.hook(call))
  }

  /// Bytes wait for room in the channels.
  public var wantsWrite: Bool { !outgoing.isEmpty || !outgoingControl.isEmpty }

  /// Writes what the channels take now.
  public func flush() {
    outgoing.flush(into: channels.jobs)
    outgoingControl.flush(into: channels.control)
  }

  /// Asks the job to stop, whether it runs or waits. It still ends with a `.finished`, of any status.
  public func cancel(token: UInt64) {
    order(.cancel(token: token))
  }

  /// Takes a job back that waits in the child: `.withdrawn` follows, or nothing where it has begun.
  public func withdraw(token: UInt64) {
    order(.withdraw(token: token))
  }

  /// Has the child finish the running job, begin no other, and end with code 0. Jobs that did not begin stay in
  /// `outstanding`.
  public func requestStop() {
    wasAskedToStop = true
    order(.stop)
  }

  /// Has the child and all it started killed. Results that it has already sent can still be received.
  public func kill() {
    guard exit == nil else { return }
    wasKilled = true
    process.give(HOST_ORDER_END)
  }

  private func send(_ request: HostRequest) {
    outgoing.append(request.encoded())
    outgoing.flush(into: channels.jobs)
  }

  private func order(_ control: HostControl) {
    outgoingControl.append(control.encoded())
    outgoingControl.flush(into: channels.control)
  }

  // MARK: From the child

  /// What has arrived. Empty where nothing has; after `.closed` always.
  public func receive() -> [HostEvent] {
    var events: [HostEvent] = []
    guard !isClosed else { return events }
    // Asked for only where nothing came, so that a busy child costs no system call more.
    if readChannel(into: &events) == 0, process.hasEnded {
      // It may have written between the two.
      _ = readChannel(into: &events)
      isClosed = true
      events.append(.closed)
    }
    return events
  }

  /// - Returns: the number of bytes read.
  private func readChannel(into events: inout [HostEvent]) -> Int {
    var count = 0
    while !channelIsOver, count < Self.readingQuota {
      let (bytes, isOver) = readAvailable(channels.jobs) { incoming.append($0) }
      count += bytes
      takeFrames(into: &events)
      if isOver, !channelIsOver { leaveChannel(HOST_ORDER_CHANNEL_CLOSED) }
      if bytes == 0 { break }
    }
    return count
  }

  private func takeFrames(into events: inout [HostEvent]) {
    do {
      while !channelIsOver, let frame = try incoming.next() {
        if let event = try accepted(HostReport(frame: frame)) { events.append(redacted(event)) }
      }
    } catch {
      channelFault = "\(error)"
      events.append(.malformed(reason: "\(error)"))
      leaveChannel(HOST_ORDER_END)
    }
  }

  /// What closed its channel, or broke it, has nothing left to say. Its descriptor goes on as that of the process, so
  /// that a loop which polls it sleeps until the end.
  private func leaveChannel(_ order: host_order) {
    channelIsOver = true
    outgoing = OutgoingBytes()
    process.give(order)
    dup2(process.descriptor, channels.jobs)
    _ = fcntl(channels.jobs, F_SETFD, FD_CLOEXEC)
  }

  /// A plugin can write to the channel itself, so only what fits what was asked goes on. Nil: belongs to nothing known.
  private func accepted(_ report: HostReport) throws(FrameError) -> HostEvent? {
    switch report {
    case .begun(let revision):
      guard revision == HostReport.currentRevision else {
        throw FrameError("it speaks revision \(revision) of the frames, this program \(HostReport.currentRevision)")
      }
    case .finished(let token, _, _), .hookFinished(let token, _):
      guard outstanding.first == token else { throw FrameError("a result for \(token), which was not asked for") }
      outstanding.removeFirst()
    case .progress(let token, _, _), .setting(let token, _, _), .measured(let token, _):
      guard outstanding.first == token else { return nil }
    case .log(let token, let level, let message, let fields):
      return .log(token: outstanding.first == token ? token : 0, level: level, message: message, fields: fields)
    case .withdrawn(let token):
      guard let place = outstanding.firstIndex(of: token) else { return nil }
      outstanding.remove(at: place)
    case .ready, .refused: break
    }
    hasBegun = true
    return HostEvent(report)
  }

  /// The one place through which all goes that a child says.
  private func redacted(_ event: HostEvent) -> HostEvent {
    configuration.secrets.isEmpty ? event : event.redacted(by: configuration.secrets)
  }

  /// Takes in what the child has written to stdout and stderr.
  public func drainStandardError() { _ = takeStandardError() }

  /// The lines that the child has written to stdout and stderr since the last call, without secrets. One that is not ended
  /// waits for its end, unless it is long.
  public func drainOutputLines() -> [String] {
    unfinishedLine += takeStandardError()
    let end = unfinishedLine.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    let count = end ?? (unfinishedLine.count > Self.longestLine || !standardErrorIsOpen ? unfinishedLine.count : 0)
    guard count > 0 else { return [] }
    defer { unfinishedLine.removeFirst(count) }
    let text = configuration.secrets.redacting(String(decoding: unfinishedLine[..<count], as: UTF8.self))
    return text.split(separator: "\n").map(String.init)
  }

  private static let longestLine = 64 << 10

  private func takeStandardError() -> [UInt8] {
    var new: [UInt8] = []
    while standardErrorIsOpen, new.count < Self.readingQuota {
      let (bytes, isOver) = readAvailable(channels.standardError) { new.append(contentsOf: $0) }
      if isOver { standardErrorIsOpen = false }
      if bytes == 0 { break }
    }
    tail.append(new)
    return new
  }

  /// The last 16 KiB of what `drainStandardError()` has read; what is not UTF-8 is replaced. Of the trace of a crash the first
  /// frames are kept, and of this program's own it says only that there were some.
  public func standardErrorTail() -> String {
    let text = configuration.secrets.redacting(tail.text, mayBeginInside: tail.beginsInsideALine)
    let library = configuration.library.split(separator: "/").last.map(String.init) ?? configuration.library
    return CrashTrace(library: library).fitted(text)
  }

  // MARK: Its end

  /// How it ended, where it has ended; never blocks.
  public func reap() -> HostExit? {
    if let exit { return exit }
    guard process.hasEnded else { return nil }
    return collectExit()
  }

  /// Ends whatever is left of the child and tells how it ended; after `.closed` at once. Reads the rest of stderr into
  /// the tail.
  public func finish() -> HostExit {
    defer { drainStandardError() }
    if let exit = reap() { return exit }
    kill()
    return collectExit()
  }

  private func collectExit() -> HostExit {
    // Somebody who waits for all children of this process took the status: all that is known is that it has ended.
    let status = process.reap() ?? SIGKILL
    let exit = HostExit(
      waitStatus: status, wasKilled: wasKilled, wasAskedToStop: wasAskedToStop, channelFault: channelFault,
      hadBegun: hasBegun)
    self.exit = exit
    return exit
  }
}

/// One nonblocking read; `isOver` at the end of the stream or after an error.
private func readAvailable(
  _ descriptor: Int32, _ take: (UnsafeRawBufferPointer) -> Void
) -> (bytes: Int, isOver: Bool) {
  // It comes from the heap; malloc tidies all of that up whenever 64 KiB are given back.
  withUnsafeTemporaryAllocation(byteCount: 32 << 10, alignment: 16) { block in
    let count = read(descriptor, block.baseAddress, block.count)
    if count > 0 {
      take(UnsafeRawBufferPointer(rebasing: block[..<count]))
      return (count, false)
    }
    return (0, count == 0 || (errno != EAGAIN && errno != EINTR))
  }
}
