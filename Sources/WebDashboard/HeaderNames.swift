internal import HTTPTypes

extension HTTPField.Name {
  static let crossOriginResourcePolicy = valid("Cross-Origin-Resource-Policy")
  static let idempotencyKey = valid("Idempotency-Key")
  static let referrerPolicy = valid("Referrer-Policy")
  static let fetchSite = valid("Sec-Fetch-Site")

  private static func valid(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) cannot name a header") }
    return name
  }
}
