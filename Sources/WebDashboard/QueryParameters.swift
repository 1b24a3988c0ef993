internal import PipelineAccess
internal import PipelineModel

/// The names that an address takes after its `?`.
struct AcceptedParameters: Sendable, ExpressibleByArrayLiteral {
  var names: [String]
  /// Those that may be given more than once.
  var repeatable: Set<String> = []

  init(arrayLiteral names: String...) { self.names = names }

  static let none: AcceptedParameters = []

  /// Those that say which jobs are meant.
  static let filter: AcceptedParameters = {
    var filter: AcceptedParameters = ["state", "phase", "error", "id", "id_prefix", "since", "until"]
    filter.repeatable = ["state"]
    return filter
  }()

  static func + (left: AcceptedParameters, right: AcceptedParameters) -> AcceptedParameters {
    var sum = left
    sum.names += right.names
    sum.repeatable.formUnion(right.repeatable)
    return sum
  }
}

/// What stands after a request's `?`: each name known to the address, none empty, none twice where one is meant. Nothing
/// is passed over, since a misspelt condition would otherwise mean more than was asked for.
struct QueryParameters: Sendable {
  private var values: [String: [String]] = [:]

  /// - Parameter target: the request's, with its path.
  /// - Throws: `Problem` that names the parameter.
  init(target: String, accepting accepted: AcceptedParameters) throws(Problem) {
    guard let mark = target.firstIndex(of: "?") else { return }
    let query = target[target.index(after: mark)...].prefix { $0 != "#" }
    for pair in query.split(separator: "&") { try add(pair, accepted) }
  }

  private mutating func add(_ pair: Substring, _ accepted: AcceptedParameters) throws(Problem) {
    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = String(percentDecoding: parts[0], plusIsSpace: true) else {
      throw Problem(.badRequest, "a parameter's name is not encoded as URLs are: '\(parts[0].shownInAnswers)'")
    }
    guard accepted.names.contains(name) else {
      let known = accepted.names.isEmpty ? "none is" : "known are \(accepted.names.joined(separator: ", "))"
      throw Problem(.badRequest, "no parameter '\(name.shownInAnswers)' is known here; \(known)")
    }
    guard let value = String(percentDecoding: parts.count > 1 ? parts[1] : "", plusIsSpace: true) else {
      throw Problem(.badRequest, "'\(name)' is not encoded as URLs are")
    }
    guard !value.isEmpty else {
      throw Problem(.badRequest, "'\(name)' is empty; give it a value, or leave it out")
    }
    guard values[name] == nil || accepted.repeatable.contains(name) else {
      throw Problem(.badRequest, "'\(name)' is given more than once; one is meant")
    }
    values[name, default: []].append(value)
  }

  /// Nil where it is not given.
  subscript(name: String) -> String? { values[name]?.first }

  /// - Throws: `Problem` where it is there and is no number in the range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = self[name] else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw Problem(
        .badRequest,
        "'\(name)' must be a number from \(range.lowerBound) to \(range.upperBound), not '\(text.shownInAnswers)'")
    }
    return value
  }

  /// The arguments of a verb that takes a filter.
  ///
  /// - Throws: `Problem` that names the parameter.
  var filter: [String: JSONDocument] { get throws(Problem) { try filter(now: .now()) } }

  private func filter(now: Timestamp) throws(Problem) -> [String: JSONDocument] {
    var filter: [String: JSONDocument] = [:]
    if let states = values["state"] { filter["states"] = .array(states.map(JSONDocument.string)) }
    for name in ["phase", "error", "id", "id_prefix"] { if let text = self[name] { filter[name] = .string(text) } }
    for name in ["since", "until"] {
      if let text = self[name] { filter["\(name)_ms"] = try Self.moment(text, name, now: now) }
    }
    return filter
  }

  /// In the coordinator's words, milliseconds.
  ///
  /// - Throws: `Problem` where `text` is no time.
  static func moment(_ text: String, _ name: String, now: Timestamp) throws(Problem) -> JSONDocument {
    guard let moment = Timestamp(timeOrAge: text, now: now) else {
      throw Problem(
        .badRequest,
        "'\(name)' must be a time such as 2030-01-31T12:00:00Z or an age such as 10m, 2h or 7d, not "
          + "'\(text.shownInAnswers)'")
    }
    return .integer(moment.milliseconds)
  }

  /// A filter that names something: whoever means all jobs says so.
  func narrowFilter() throws(Problem) -> [String: JSONDocument] {
    let filter = try filter
    guard !filter.isEmpty else { throw .namesNothing }
    return filter
  }
}

extension Problem {
  static let namesNothing = Problem(
    .badRequest, "name the jobs: at least one of \(AcceptedParameters.filter.names.joined(separator: ", "))")
}

extension StringProtocol {
  /// Short enough to be told back to whoever sent it.
  var shownInAnswers: String { count <= 80 ? String(self) : "\(prefix(80))…" }
}
