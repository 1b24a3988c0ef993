internal import CZeroMQ

extension Socket {
  /// Messages are queued for connections that are up, and go with one that breaks: without it `send` also fills a queue
  /// for a peer that is not there, which gets everything whenever it comes. Before `connect`.
  public func queueOnlyWhileConnected() { set(ZMQ_IMMEDIATE, Int32(1)) }
}
