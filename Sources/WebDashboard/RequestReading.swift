internal import Hummingbird
internal import NIOCore

extension Request {
  /// - Throws: `Problem` where it is there and is no number in the range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = parameter(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw Problem(
        .badRequest, "'\(name)' must be a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return value
  }

  /// The first of that name; nil where it is empty.
  func parameter(_ name: String) -> String? { parameters(name).first }

  func parameters(_ name: String) -> [String] {
    uri.queryParameters.filter { $0.key == name[...] && !$0.value.isEmpty }.map { String($0.value) }
  }

  /// The arguments of a verb that takes a filter.
  func filter() throws(Problem) -> [String: JSONValue] {
    var filter: [String: JSONValue] = [:]
    let states = parameters("state")
    if !states.isEmpty { filter["states"] = .array(states.map(JSONValue.string)) }
    for name in ["phase", "error", "id_prefix"] { if let text = parameter(name) { filter[name] = .string(text) } }
    return filter
  }

  /// A filter that names something: whoever means all jobs says so.
  func narrowFilter() throws(Problem) -> [String: JSONValue] {
    let filter = try filter()
    guard !filter.isEmpty else {
      throw Problem(.badRequest, "name the jobs: at least one of state, phase, error, id_prefix")
    }
    return filter
  }

  /// - Throws: `Problem` where it is larger.
  func bytes(upTo limit: Int) async throws -> [UInt8] {
    do {
      let buffer = try await body.collect(upTo: limit)
      return Array(buffer.readableBytesView)
    } catch is NIOTooManyBytesError {
      throw Problem(.contentTooLarge, "the body is larger than \(limit) bytes")
    }
  }
}

extension RequestContext {
  /// A part of the path, decoded.
  func part(_ name: String) throws(Problem) -> String {
    guard let text = parameters.get(name), let decoded = String(urlPathPart: text) else {
      throw Problem(.badRequest, "the path is not encoded as URLs are")
    }
    return decoded
  }
}
