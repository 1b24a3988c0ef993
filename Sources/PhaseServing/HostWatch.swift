internal import HostSupervision
internal import ZeroMQTransport

/// What a poller has been told to watch of one child; brought up to date after each step, so that nothing is told twice.
struct HostWatch {
  /// Of the job channel and of stderr. The same slot may be named twice where both are ready, which does no harm.
  let keys: (channel: Int, standardError: Int)
  private var channel: Int32?
  private var standardError: Int32?
  private var processID: Int32?
  private var isWritable = false

  init(keys: (channel: Int, standardError: Int)) { self.keys = keys }

  mutating func follow(_ host: PluginHost?, in poller: Poller) {
    if processID != host?.processID { start(host, in: poller) }
    guard let host, let channel else { return }
    if isWritable != host.wantsWrite {
      isWritable = host.wantsWrite
      poller.change(fileDescriptor: channel, as: keys.channel, writable: isWritable)
    }
    if !host.standardErrorIsOpen { dropStandardError(in: poller) }
  }

  /// Descriptors of a child that is gone are closed, and so the poller has forgotten them.
  private mutating func start(_ host: PluginHost?, in poller: Poller) {
    processID = host?.processID
    (channel, standardError, isWritable) = (host?.channel, host?.standardError, false)
    guard let host else { return }
    poller.add(fileDescriptor: host.channel, as: keys.channel)
    // Its end, which its channel need not tell: what the child has started may hold that.
    poller.add(fileDescriptor: host.processDescriptor, as: keys.channel)
    poller.add(fileDescriptor: host.standardError, as: keys.standardError)
  }

  private mutating func dropStandardError(in poller: Poller) {
    guard let descriptor = standardError else { return }
    standardError = nil
    poller.remove(fileDescriptor: descriptor)
  }
}
