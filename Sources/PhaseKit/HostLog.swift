import CPhaseABI
import Synchronization

struct LentHost: @unchecked Sendable {
  let pointer: UnsafePointer<ct_host>
}

/// The host's log for lines that belong to no job; silent before `init` and during scans.
final class HostLog: Sendable {
  static let shared = HostLog()
  let host = Mutex<LentHost?>(nil)

  var logger: PluginLogger {
    PluginLogger { level, message, metadata in
      guard let host = self.host.withLock({ $0 })?.pointer else { return }
      withText(metadata.appended(to: message)) { host.pointee.log(host, level, $0) }
    }
  }
}
