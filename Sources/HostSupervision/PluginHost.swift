import Glibc
public import HostProtocol

/// One child process with one plugin, seen from its parent.
///
/// Nothing here blocks but `finish()` and `wait`, so it fits an event loop: poll `channel` and `standardError` for
/// input, `channel` for output while `wantsWrite`; then call `receive()`, `drainStandardError()`, `flush()`.
///
/// Belongs to the thread that made it, and that thread must outlive it: the kernel kills the child when the thread that
/// spawned it ends. Letting go of the last reference kills and reaps the child.
public final class PluginHost {
  /// The most that one `receive()` or `drainStandardError()` reads, so that one child that floods leaves time for others.
  private static let readingQuota = 1 << 20

  public let configuration: PluginHostConfiguration
  public let processID: Int32
  /// The job channel: poll for POLLIN, and for POLLOUT while `wantsWrite`.
  public var channel: Int32 { channels.jobs }
  /// What the child writes to stdout and stderr: poll for POLLIN until `standardErrorIsOpen` is false.
  public var standardError: Int32 { channels.standardError }
  public private(set) var standardErrorIsOpen = true
  /// Tokens of jobs and hook calls without a result, in the order given. The first is the one that runs, or is about
  /// to: a crash is its crash; those after it did not begin.
  public private(set) var outstanding: [UInt64] = []

  private let channels: HostChannels
  private var incoming: FrameBuffer
  private var outgoing = OutgoingBytes()
  private var outgoingControl = OutgoingBytes()
  private var tail = OutputTail()
  private var isClosed = false
  private var wasKilled = false
  private var wasAskedToStop = false
  private var exit: HostExit?

  /// Spawns the child and returns at once; `.ready` or `.refused` follows.
  public init(_ configuration: PluginHostConfiguration) throws(HostSpawnError) {
    self.configuration = configuration
    let channels = try HostChannels()
    defer { channels.closeChildEnds() }
    do {
      processID = try spawnHost(configuration, on: channels)
    } catch {
      channels.closeParentEnds()
      throw error
    }
    self.channels = channels
    // A description is small; a scan of a hostile file must not fill memory.
    incoming = configuration.role == .scan ? FrameBuffer(limit: 1 << 20) : FrameBuffer()
  }

  deinit {
    if exit == nil {
      Glibc.kill(-processID, SIGKILL)
      var status: Int32 = 0
      while waitpid(processID, &status, 0) < 0, errno == EINTR {}
    }
    channels.closeParentEnds()
  }

  // MARK: To the child

  /// Queues a job; it may be given before `.ready` and while another one runs, then it waits in the child.
  public func run(_ job: HostJob) {
    outstanding.append(job.token)
    send(.job(job))
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

  /// SIGKILL to the child and all it started. Results that it has already sent can still be received.
  public func kill() {
    guard exit == nil else { return }
    wasKilled = true
    Glibc.kill(-processID, SIGKILL)
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
    var quota = Self.readingQuota
    while !isClosed, quota > 0 {
      let (bytes, isOver) = readAvailable(channels.jobs) { incoming.append($0) }
      quota -= max(bytes, 1)
      takeFrames(into: &events)
      if isOver, !isClosed {
        isClosed = true
        events.append(.closed)
      }
      if bytes == 0 { break }
    }
    return events
  }

  private func takeFrames(into events: inout [HostEvent]) {
    do {
      while !isClosed, let frame = try incoming.next() {
        if let event = try accepted(HostReport(frame: frame)) { events.append(event) }
      }
    } catch {
      isClosed = true
      events.append(.malformed(reason: "\(error)"))
      events.append(.closed)
    }
  }

  /// A plugin can write to the channel itself, so only what fits what was asked goes on. Nil: belongs to nothing known.
  private func accepted(_ report: HostReport) throws(FrameError) -> HostEvent? {
    switch report {
    case .finished(let token, _, _), .hookFinished(let token, _):
      guard outstanding.first == token else { throw FrameError("a result for \(token), which was not asked for") }
      outstanding.removeFirst()
    case .progress(let token, _, _), .setting(let token, _, _):
      guard outstanding.first == token else { return nil }
    case .log(let token, let level, let message):
      return .log(token: outstanding.first == token ? token : 0, level: level, message: message)
    case .withdrawn(let token):
      guard let place = outstanding.firstIndex(of: token) else { return nil }
      outstanding.remove(at: place)
    case .ready, .refused: break
    }
    return HostEvent(report)
  }

  /// New bytes of the child's stdout and stderr; empty where there are none.
  public func drainStandardError() -> [UInt8] {
    var new: [UInt8] = []
    while standardErrorIsOpen, new.count < Self.readingQuota {
      let (bytes, isOver) = readAvailable(channels.standardError) { new.append(contentsOf: $0) }
      if isOver { standardErrorIsOpen = false }
      if bytes == 0 { break }
    }
    tail.append(new)
    return new
  }

  /// The last 16 KiB of what `drainStandardError()` has read; what is not UTF-8 is replaced.
  public func standardErrorTail() -> String { tail.text }

  // MARK: Its end

  /// How it ended, where it has ended; never blocks.
  public func reap() -> HostExit? { reap(options: WNOHANG) }

  /// Ends whatever is left of the child and tells how it ended. For a child whose channel has closed this blocks for
  /// the time the kernel needs to end a process; one that had already ended, or was crashing, keeps its own cause.
  /// Reads the rest of stderr into the tail.
  public func finish() -> HostExit {
    defer { _ = drainStandardError() }
    if let exit = reap() { return exit }
    // Whoever closes its channel and lives on has nothing left to say.
    Glibc.kill(-processID, SIGKILL)
    return reap(options: 0) ?? HostExit(cause: .signal(SIGKILL))
  }

  private func reap(options: Int32) -> HostExit? {
    if let exit { return exit }
    guard hasEnded(options) else { return nil }
    // What the child has started may live on in its group; while the child is not reaped the group's number is ours.
    Glibc.kill(-processID, SIGKILL)
    var status: Int32 = 0
    guard waitpid(processID, &status, 0) == processID else { return nil }
    let exit = HostExit(waitStatus: status, wasKilled: wasKilled, wasAskedToStop: wasAskedToStop)
    self.exit = exit
    return exit
  }

  private func hasEnded(_ options: Int32) -> Bool {
    var information = siginfo_t()
    var failed = waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | options)
    while failed < 0, errno == EINTR {
      failed = waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | options)
    }
    return failed == 0 && information.si_signo != 0
  }
}

/// One nonblocking read; `isOver` at the end of the stream or after an error.
private func readAvailable(
  _ descriptor: Int32, _ take: (UnsafeRawBufferPointer) -> Void
) -> (bytes: Int, isOver: Bool) {
  withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { block in
    let count = read(descriptor, block.baseAddress, block.count)
    if count > 0 {
      take(UnsafeRawBufferPointer(rebasing: block[..<count]))
      return (count, false)
    }
    return (0, count == 0 || (errno != EAGAIN && errno != EINTR))
  }
}
