internal import HTTPTypes
internal import Hummingbird
internal import Synchronization

/// Asks the access policy about each request, answers so many at a time, puts the headers that keep browsers safe on each
/// answer, and turns errors into answers.
struct Gatekeeper: RouterMiddleware {
  typealias Context = WebContext

  let policy: AccessPolicy
  let table: MethodTable
  let underWay: RequestCount

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = await answer(request, context, next)
    // Nothing from elsewhere, nothing inline, in nobody's frame.
    response.headers[.contentSecurityPolicy] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    if !response.headers.contains(.cacheControl) { response.headers[.cacheControl] = "no-store" }
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
  ) async -> Response {
    do {
      if let other = try await admitted(request) { return other }
      return try await underWay.counted { try await next(request, context) }
    } catch let problem as Problem {
      return problem.response
    } catch let error as HTTPError {
      return Problem(error.status, error.body ?? error.status.reasonPhrase).response
    } catch is CancellationError {
      return Problem(.serviceUnavailable, "the request was given up").response
    } catch {
      context.logger.warning("\(request.method) \(request.uri.path): \(error)")
      return Problem(.internalServerError, "the request could not be carried out").response
    }
  }

  /// - Returns: an answer that needs no route.
  private func admitted(_ request: Request) async throws -> Response? {
    do throws(Problem) {
      if let other = try otherMethod(request) { return other }
      try check(request)
      return nil
    } catch {
      await request.discardBody()
      throw error
    }
  }

  /// For a method that the address does not take.
  private func otherMethod(_ request: Request) throws(Problem) -> Response? {
    let path = request.uri.path
    guard let methods = table.methods(at: path) else {
      throw Problem(.notFound, "there is nothing at \(path.shownInAnswers); see /api/v1/openapi.json")
    }
    if methods.contains(request.method) { return nil }
    guard request.method == .options else { throw Problem(allowed: methods, not: request.method, at: path) }
    return Response(status: .noContent, headers: [.allow: Problem.list(methods)])
  }

  private func check(_ request: Request) throws(Problem) {
    switch policy.verdict(on: claims(of: request)) {
    case .allowed: return
    case .unauthorized(let reason): throw Problem(.unauthorized, reason)
    case .forbidden(let reason): throw Problem(.forbidden, reason)
    case .unsupportedMediaType(let reason): throw Problem(.unsupportedMediaType, reason)
    }
  }

  private func claims(of request: Request) -> AccessPolicy.Claims {
    let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    return AccessPolicy.Claims(
      changesState: request.method != .get && request.method != .head && request.method != .options,
      host: request.head.authority, origin: request.headers[.origin],
      fetchSite: request.headers[.fetchSite], authorization: request.headers[.authorization],
      contentType: request.headers[.contentType],
      hasBody: length > 0 || request.headers.contains(.transferEncoding))
  }
}

/// Requests that are being answered.
final class RequestCount: Sendable {
  private let limit: Int
  private let count = Mutex(0)

  init(limit: Int) { self.limit = limit }

  /// - Throws: `Problem` above the limit.
  func counted<Value>(_ body: () async throws -> Value) async throws -> Value {
    let isAdmitted = count.withLock { count in
      guard count < limit else { return false }
      count += 1
      return true
    }
    guard isAdmitted else {
      throw Problem(.serviceUnavailable, "\(limit) requests are under way; try again later")
    }
    defer { count.withLock { $0 -= 1 } }
    return try await body()
  }
}
