internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// One address of the server with all that it takes; what else is sent there is refused before the handler runs.
struct Route: Sendable {
  typealias Handler = @Sendable (Call) async throws -> Response

  var method: HTTPRequest.Method
  /// With `:name` for a part that varies.
  var path: String
  var parameters: AcceptedParameters
  /// Bytes; 0 where no body is meant.
  var largestBody: Int
  var handler: Handler

  static func get(_ path: String, _ parameters: AcceptedParameters = .none, _ handler: @escaping Handler) -> Route {
    Route(method: .get, path: path, parameters: parameters, largestBody: 0, handler: handler)
  }

  static func post(
    _ path: String, _ parameters: AcceptedParameters = .none, largestBody: Int = 0, _ handler: @escaping Handler
  ) -> Route {
    Route(method: .post, path: path, parameters: parameters, largestBody: largestBody, handler: handler)
  }

  static func delete(_ path: String, _ parameters: AcceptedParameters = .none, _ handler: @escaping Handler) -> Route {
    Route(method: .delete, path: path, parameters: parameters, largestBody: 0, handler: handler)
  }

  /// What answers `GET` answers `HEAD` too.
  var methods: [HTTPRequest.Method] { method == .get ? [.get, .head] : [method] }

  /// Given up where whoever asked has left.
  func answer(
    _ request: Request, _ context: WebContext, bodies: BodyBudget, book: ConnectionBook
  ) async throws -> Response {
    let query: QueryParameters
    do throws(Problem) {
      query = try QueryParameters(target: request.head.path ?? "", accepting: parameters)
    } catch {
      await request.discardBody()
      throw error
    }
    let client = book.client(at: context.channel)
    return try await bodies.withBody(of: request, upTo: largestBody) { body in
      let call = Call(request: request, context: context, client: client, query: query, body: body)
      guard let client else { return try await handler(call) }
      return try await client.whilePresent { try await handler(call) }
    }
  }
}

/// What a route's handler is given: a request whose parameters and body were looked at.
struct Call: Sendable {
  let request: Request
  let context: WebContext
  let client: ConnectionBook.Client?
  let query: QueryParameters
  let body: [UInt8]

  /// A part of the path, decoded.
  func part(_ name: String) throws(Problem) -> String {
    guard let text = context.parameters.get(name), let decoded = String(percentDecoding: text) else {
      throw Problem(.badRequest, "the path is not encoded as URLs are")
    }
    return decoded
  }
}

/// Knows the connection that a request came by.
struct WebContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

/// Which methods each address takes, for whoever uses another one.
struct MethodTable: Sendable {
  private var entries: [(parts: [Substring], methods: [HTTPRequest.Method])] = []

  init(_ routes: [Route]) {
    for route in routes {
      let parts = route.path.split(separator: "/")
      if let index = entries.firstIndex(where: { $0.parts == parts }) {
        entries[index].methods += route.methods
      } else {
        entries.append((parts, route.methods))
      }
    }
  }

  /// Nil where there is no such address.
  func methods(at path: String) -> [HTTPRequest.Method]? {
    let parts = path.split(separator: "/")
    return entries.first { entry in
      entry.parts.count == parts.count && zip(entry.parts, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
    }?.methods
  }
}
