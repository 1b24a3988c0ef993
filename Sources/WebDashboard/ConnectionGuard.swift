internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose header, body or reader does not come on in time, and tells the book what it is at. Used by
/// its connection's event loop only.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let book: ConnectionBook
  private let limits: WebLimits
  private var deadline: Scheduled<Void>?
  private var stall: Scheduled<Void>?
  private var requests = 0
  private var isBodyOpen = false

  init(book: ConnectionBook, limits: WebLimits) {
    self.book = book
    self.limits = limits
  }

  func handlerAdded(context: ChannelHandlerContext) {
    book.opened(context.channel)
    expectMore(within: .seconds(limits.headerSeconds), context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
    stall?.cancel()
    book.closed(context.channel)
  }

  func channelInactive(context: ChannelHandlerContext) {
    book.closed(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      requests += 1
      isBodyOpen = true
      book.began(context.channel)
      expectMore(within: .seconds(limits.bodySeconds), context)
    case .body: break
    case .end:
      isBodyOpen = false
      restIfDone(context)
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    context.write(data, promise: promise)
    guard case .end = unwrapOutboundIn(data) else { return }
    requests -= 1
    restIfDone(context)
  }

  /// A body that was answered before all of it was there is read and thrown away within its time, since a client that
  /// still sends would not see the answer of a connection that is closed.
  private func restIfDone(_ context: ChannelHandlerContext) {
    if requests == 0 { book.fellIdle(context.channel) }
    if !isBodyOpen { expectMore(within: requests == 0 ? .seconds(limits.idleSeconds) : nil, context) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stall?.cancel()
    stall = context.channel.isWritable ? nil : closing(after: .seconds(limits.stalledSeconds), context)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { book.left(context.channel) }
    context.fireUserInboundEventTriggered(event)
  }

  private func expectMore(within time: TimeAmount?, _ context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = time.map { closing(after: $0, context) }
  }

  private func closing(after time: TimeAmount, _ context: ChannelHandlerContext) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }
}
