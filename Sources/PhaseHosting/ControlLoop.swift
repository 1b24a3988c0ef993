import CHostProcess
import Glibc
import HostProtocol
import Synchronization

/// Listens to the control channel on a thread of its own, so that a job that hangs, a constructor that hangs and a full
/// job channel cannot keep the parent's orders out.
final class ControlLoop: Sendable {
  private let running: CurrentJob
  private let stopping = Atomic<Bool>(false)

  init(running: CurrentJob) {
    self.running = running
  }

  /// True once the parent has asked this child to take no more jobs.
  var isStopping: Bool { stopping.load(ordering: .acquiring) }

  /// Ends the process, whatever else it does, at the end of the channel: the parent is gone, or the plugin has closed
  /// it. The guard ends what the plugin has started.
  func start() {
    startThread(stackSize: 256 << 10) { self.listen() }
  }

  private func listen() {
    var stream = FrameStream(descriptor: HostDescriptor.control)
    while let frame = try? stream.next(), let order = try? HostControl(frame: frame) {
      switch order {
      case .cancel(let token): running.cancel(token: token)
      case .withdraw(let token): running.withdraw(token: token)
      case .stop:
        stopping.store(true, ordering: .releasing)
        // Wakes up the thread that waits for the next job.
        shutdown(HostDescriptor.jobs, Int32(SHUT_RD))
      }
    }
    _exit(HostExitCode.channelBroken)
  }
}

/// A plain OS thread that is never joined.
func startThread(stackSize: Int, _ body: @escaping @Sendable () -> Void) {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setstacksize(&attributes, stackSize)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  defer { pthread_attr_destroy(&attributes) }
  var thread = pthread_t()
  let work = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
  let failure = pthread_create(
    &thread, &attributes,
    { work in
      host_make_room_for_handlers()
      if let work { Unmanaged<ThreadBody>.fromOpaque(work).takeRetainedValue().body() }
      return nil
    }, work)
  if failure != 0 { _exit(HostExitCode.misused) }
}

private final class ThreadBody {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
