internal import HTTPTypes
internal import Hummingbird

/// Asks the access policy about each request, puts the headers that keep browsers safe on each answer, and turns errors
/// into answers.
struct Gatekeeper<Context: RequestContext>: RouterMiddleware {
  let policy: AccessPolicy

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
    return response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
  ) async -> Response {
    do {
      switch policy.verdict(on: claims(of: request)) {
      case .allowed: return try await next(request, context)
      case .unauthorized(let reason): throw Problem(.unauthorized, reason)
      case .forbidden(let reason): throw Problem(.forbidden, reason)
      case .unsupportedMediaType(let reason): throw Problem(.unsupportedMediaType, reason)
      }
    } catch let problem as Problem {
      return problem.response
    } catch let error as HTTPError {
      return Problem(error.status, error.body ?? error.status.reasonPhrase).response
    } catch {
      context.logger.warning("\(request.method) \(request.uri.path): \(error)")
      return Problem(.internalServerError, "the request could not be carried out").response
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
