internal import Dispatch
internal import Glibc
internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// Shows coordinators on a page and over an HTTP API, and acts on them for whoever may. A client of theirs like any other:
/// it never touches their stores, and they do not notice whether it is there.
///
/// All methods may be called from any thread; those that block are not for threads of Swift's cooperative pool.
public final class WebServer: Sendable {
  private struct Run {
    var task: Task<Void, Never>?
    var port: Int?
    var failure: String?
  }

  private let settings: WebServerSettings
  private let run = Mutex(Run())
  private let decided = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  public init(_ settings: WebServerSettings) { self.settings = settings }

  /// Blocks until the server listens.
  /// - Returns: where, e.g. `http://127.0.0.1:8080`.
  public func start() throws(WebServerError) -> String {
    let task = Task.detached { [self] in
      await serve()
      decided.signal()
      ended.signal()
    }
    run.withLock { $0.task = task }
    decided.wait()
    let (port, failure) = run.withLock { ($0.port, $0.failure) }
    guard let port else {
      throw WebServerError(
        "cannot listen on \(settings.host):\(settings.port): \(failure ?? "it ended at once"); choose another address "
          + "or port")
    }
    return "http://\(settings.host.contains(":") ? "[\(settings.host)]" : settings.host):\(port)"
  }

  /// Ends it, and breaks what is under way. Returns at once.
  public func stop() { run.withLock { $0.task }?.cancel() }

  /// Blocks until it has ended.
  public func waitUntilStopped() {
    ended.wait()
    ended.signal()
  }

  private func serve() async {
    let limits = WebLimits.forThisProcess()
    let directory = CoordinatorDirectory(settings, limits: limits)
    let book = ConnectionBook(limit: limits.connections)
    var configuration = ApplicationConfiguration(address: .hostname(settings.host, port: settings.port))
    configuration.serverName = "carbontube"
    var logger = settings.logger
    // A line for each connection that a browser drops is of no use to anybody.
    logger.logLevel = .critical
    let application = Application(
      router: router(directory, book, limits),
      server: .http1(
        configuration: .init(additionalChannelHandlers: [ConnectionGuard(book: book, limits: limits)])),
      configuration: configuration,
      onServerRunning: { [self] channel in
        run.withLock { $0.port = channel.localAddress?.port }
        decided.signal()
      }, logger: logger)
    let looking = Task { await directory.run() }
    do {
      try await application.run()
    } catch {
      run.withLock { $0.failure = Self.reason(of: error) }
    }
    looking.cancel()
    await looking.value
  }

  private func router(_ directory: CoordinatorDirectory, _ book: ConnectionBook, _ limits: WebLimits) -> Router<
    WebContext
  > {
    let policy = AccessPolicy(
      token: settings.token, isReadOnly: settings.isReadOnly,
      isLoopback: AccessPolicy.isLoopback(hostOf: settings.host))
    var routes = PageRoutes().routes + EventRoutes(directory: directory, largestCount: limits.streams).routes
    routes += PipelineRoutes(directory: directory, settings: settings, policy: policy).routes
    routes += JobRoutes(directory: directory).routes + ActionRoutes(directory: directory).routes
    routes += OlderRoutes(directory: directory).routes
    let router = Router(context: WebContext.self)
    router.add(
      middleware: Gatekeeper(
        policy: policy, table: MethodTable(routes), underWay: RequestCount(limit: limits.requests)))
    let bodies = BodyBudget(bytes: limits.bodyBytes)
    for route in routes {
      for method in route.methods {
        router.on(RouterPath(route.path), method: method) { request, context in
          try await route.answer(request, context, bodies: bodies, book: book)
        }
      }
    }
    return router
  }
}

extension WebServer {
  private static func reason(of error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case is SocketAddressError.UnknownHost: "no such host is known"
    default: "\(error)"
    }
  }
}
