import Testing

@testable import WebDashboard

@Suite struct AccessPolicyTests {
  private func claims(
    changes: Bool = true, host: String? = "127.0.0.1:8080", origin: String? = nil, site: String? = nil,
    authorization: String? = nil, type: String? = "application/json", hasBody: Bool = true
  ) -> AccessPolicy.Claims {
    AccessPolicy.Claims(
      changesState: changes, host: host, origin: origin, fetchSite: site, authorization: authorization,
      contentType: type, hasBody: hasBody)
  }

  private let local = AccessPolicy(token: nil, isReadOnly: false, isLoopback: true)
  private let guarded = AccessPolicy(token: "0123456789abcdef", isReadOnly: false, isLoopback: false)

  private func isForbidden(_ verdict: AccessPolicy.Verdict) -> Bool {
    if case .forbidden = verdict { true } else { false }
  }

  @Test(arguments: ["127.0.0.1:8080", "localhost", "localhost:80", "[::1]:8080", "127.1.2.3"])
  func `Names of loopback are served`(host: String) {
    #expect(local.verdict(on: claims(host: host)) == .allowed)
  }

  @Test(arguments: ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "[::2]", "127.0.0"])
  func `A name that only points to loopback is not`(host: String) {
    #expect(isForbidden(local.verdict(on: claims(changes: false, host: host))))
  }

  @Test func `Pages of other sites change nothing`() {
    #expect(isForbidden(local.verdict(on: claims(origin: "http://evil.example"))))
    #expect(isForbidden(local.verdict(on: claims(origin: "null"))))
    #expect(isForbidden(local.verdict(on: claims(site: "same-site"))))
    #expect(local.verdict(on: claims(origin: "http://127.0.0.1:8080", site: "same-origin")) == .allowed)
    let form = local.verdict(on: claims(type: "text/plain"))
    guard case .unsupportedMediaType = form else { return #expect(Bool(false), "\(form)") }
  }

  @Test func `Beyond loopback a change needs the token, and reading does not`() {
    #expect(guarded.verdict(on: claims(changes: false, host: "any.example")) == .allowed)
    #expect(guarded.verdict(on: claims(authorization: "Bearer 0123456789abcdef")) == .allowed)
    for wrong in [nil, "", "Bearer ", "Bearer 0123456789abcdeg", "0123456789abcdef", "Bearer 0123456789abcdef0"] {
      let verdict = guarded.verdict(on: claims(authorization: wrong))
      guard case .unauthorized = verdict else { return #expect(Bool(false), "\(verdict)") }
    }
    let open = AccessPolicy(token: nil, isReadOnly: false, isLoopback: false)
    #expect(isForbidden(open.verdict(on: claims())))
  }

  @Test func `Read-only is stronger than the token`() {
    let policy = AccessPolicy(token: "0123456789abcdef", isReadOnly: true, isLoopback: true)
    #expect(isForbidden(policy.verdict(on: claims(authorization: "Bearer 0123456789abcdef"))))
  }
}
