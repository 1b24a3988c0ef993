/// One check of settings against a schema. Its work is bounded: a `$ref` that leads round in circles, or alternatives within
/// alternatives, end it with a problem.
struct Checking {
  /// Nobody is told more of one value's parts.
  private static let enoughProblems = 100

  let root: SettingsValue
  private let patterns: [String: SchemaPattern]
  private let mostSteps: Int
  private var steps = 0
  /// It was given up, and what was found is not all.
  var isExhausted: Bool { steps > mostSteps }

  init(root: SettingsValue, patterns: [String: SchemaPattern] = [:], mostSteps: Int = 100_000) {
    self.root = root
    self.patterns = patterns
    self.mostSteps = mostSteps
  }

  /// Work that is done for a value beside looking at it.
  private mutating func count(_ more: Int) { steps += min(more, mostSteps + 1) }

  func target(of reference: SettingsValue) -> SettingsValue? {
    guard case .string(let text) = reference else { return nil }
    if text == "#" { return root }
    let parts = text.split(separator: "/").map(String.init)
    guard parts.count == 3, parts[0] == "#", ["$defs", "definitions"].contains(parts[1]),
      case .object(let members) = root, case .object(let schemas)? = members[parts[1]]
    else { return nil }
    return schemas[parts[2]]
  }

  mutating func problems(_ value: SettingsValue, _ schema: SettingsValue, _ place: String, _ depth: Int) -> [String] {
    steps += 1
    let name = place.isEmpty ? "the whole" : place
    guard depth <= SettingsSchema.maximumDepth, !isExhausted else {
      return ["\(name) cannot be checked: the schema leads round in circles"]
    }
    if case .bool(let allowed) = schema { return allowed ? [] : ["\(name) is not allowed"] }
    guard case .object(let keywords) = schema else { return [] }
    if case .array(let allowed)? = keywords["enum"] { count(allowed.count) }
    var found = plainProblems(value, keywords, name)
    if case .string(let text) = value, case .string(let pattern)? = keywords["pattern"] {
      found += patternProblems(text, pattern, name)
    }
    if let reference = keywords["$ref"], let target = target(of: reference) {
      found += problems(value, target, place, depth + 1)
    }
    found += combined(value, keywords, place, depth)
    switch value {
    case .object(let members): found += membersProblems(members, keywords, place, depth)
    case .array(let values): found += elementsProblems(values, keywords, place, depth)
    default: break
    }
    return found
  }

  // MARK: - Of the value itself

  private func plainProblems(_ value: SettingsValue, _ keywords: [String: SettingsValue], _ name: String) -> [String] {
    var found: [String] = []
    if let types = keywords["type"], !Self.fits(value, types) {
      return ["\(name) must be \(Self.listed(types)), is \(Self.article(value.typeName))"]
    }
    if case .array(let allowed)? = keywords["enum"], !allowed.contains(where: { Self.same($0, value) }) {
      found.append(
        "\(name) must be one of \(allowed.map { String(decoding: $0.json, as: UTF8.self) }.joined(separator: ", "))")
    }
    if let only = keywords["const"], !Self.same(only, value) {
      found.append("\(name) must be \(String(decoding: only.json, as: UTF8.self))")
    }
    if let number = value.number { found += Self.numberProblems(number, keywords, name) }
    if case .string(let text) = value {
      found += Self.countProblems(text.unicodeScalars.count, "minLength", "maxLength", "characters", keywords, name)
    }
    return found
  }

  private mutating func patternProblems(_ text: String, _ source: String, _ name: String) -> [String] {
    guard let pattern = patterns[source] else { return [] }
    count(pattern.steps(for: text))
    guard !isExhausted else { return ["\(name) is too long to be checked"] }
    let shown = String(decoding: SettingsValue.string(source).json, as: UTF8.self)
    return pattern.isFound(in: text) ? [] : ["\(name) must match the pattern \(shown)"]
  }

  private static func numberProblems(_ number: Double, _ keywords: [String: SettingsValue], _ name: String) -> [String]
  {
    var found: [String] = []
    func check(_ keyword: String, _ words: String, _ holds: (Double, Double) -> Bool) {
      guard let bound = keywords[keyword], let limit = bound.number, !holds(number, limit) else { return }
      found.append("\(name) must be \(words) \(String(decoding: bound.json, as: UTF8.self))")
    }
    check("minimum", "at least", >=)
    check("maximum", "at most", <=)
    check("exclusiveMinimum", "more than", >)
    check("exclusiveMaximum", "less than", <)
    check("multipleOf", "a multiple of") { number, step in
      step > 0 && abs((number / step).rounded() * step - number) <= abs(number) * 1e-12
    }
    return found
  }

  private static func countProblems(
    _ count: Int, _ least: String, _ most: String, _ things: String, _ keywords: [String: SettingsValue], _ name: String
  ) -> [String] {
    var found: [String] = []
    if let limit = keywords[least]?.number, Double(count) < limit {
      found.append("\(name) must have at least \(shown(limit)) \(things)")
    }
    if let limit = keywords[most]?.number, Double(count) > limit {
      found.append("\(name) must have at most \(shown(limit)) \(things)")
    }
    return found
  }

  private static func shown(_ limit: Double) -> String { Int64(exactly: limit).map { "\($0)" } ?? "\(limit)" }

  private static func fits(_ value: SettingsValue, _ types: SettingsValue) -> Bool {
    switch types {
    case .string("number"): value.number != nil
    case .string("integer"): value.number.map { $0.rounded() == $0 } ?? false
    case .string(let type): value.typeName == type
    case .array(let several): several.contains { fits(value, $0) }
    default: false
    }
  }

  /// JSON has one kind of number: 1 and 1.0 are the same.
  private static func same(_ one: SettingsValue, _ other: SettingsValue) -> Bool {
    if let one = one.number, let other = other.number { return one == other }
    return one == other
  }

  private static func listed(_ types: SettingsValue) -> String {
    switch types {
    case .string(let type): article(type)
    case .array(let several): several.map(listed).joined(separator: " or ")
    default: "something else"
    }
  }

  private static func article(_ type: String) -> String {
    type == "null" ? type : "aeiou".contains(type.first ?? " ") ? "an \(type)" : "a \(type)"
  }

  // MARK: - Of what is in it

  private mutating func membersProblems(
    _ members: [String: SettingsValue], _ keywords: [String: SettingsValue], _ place: String, _ depth: Int
  ) -> [String] {
    let name = place.isEmpty ? "the whole" : place
    count(members.count)
    var found = Self.countProblems(members.count, "minProperties", "maxProperties", "members", keywords, name)
    if case .array(let required)? = keywords["required"] {
      for case .string(let needed) in required where members[needed] == nil {
        found.append("\(place)/\(needed) is missing")
      }
    }
    var known: [String: SettingsValue] = [:]
    if case .object(let properties)? = keywords["properties"] { known = properties }
    for (member, value) in members.sorted(by: { $0.key < $1.key }) where found.count < Self.enoughProblems {
      let inner = "\(place)/\(member)"
      if let names = keywords["propertyNames"] { found += problems(.string(member), names, inner, depth + 1) }
      if let schema = known[member] {
        found += problems(value, schema, inner, depth + 1)
      } else if let rest = keywords["additionalProperties"] {
        if case .bool(false) = rest {
          let all = known.keys.sorted().joined(separator: ", ")
          found.append("\(inner) is not known\(all.isEmpty ? "" : "; known are: \(all)")")
        } else {
          found += problems(value, rest, inner, depth + 1)
        }
      }
    }
    return found
  }

  private mutating func elementsProblems(
    _ values: [SettingsValue], _ keywords: [String: SettingsValue], _ place: String, _ depth: Int
  ) -> [String] {
    let name = place.isEmpty ? "the whole" : place
    count(values.count)
    var found = Self.countProblems(values.count, "minItems", "maxItems", "elements", keywords, name)
    if keywords["uniqueItems"] == .bool(true), Set(values).count != values.count {
      found.append("\(name) must have no element twice")
    }
    var first: [SettingsValue] = []
    if case .array(let schemas)? = keywords["prefixItems"] { first = schemas }
    for (index, value) in values.enumerated() where found.count < Self.enoughProblems {
      guard let schema = index < first.count ? first[index] : keywords["items"] else { continue }
      found += problems(value, schema, "\(place)/\(index)", depth + 1)
    }
    return found
  }

  private mutating func combined(
    _ value: SettingsValue, _ keywords: [String: SettingsValue], _ place: String, _ depth: Int
  ) -> [String] {
    let name = place.isEmpty ? "the whole" : place
    var found: [String] = []
    if case .array(let all)? = keywords["allOf"] {
      for schema in all { found += problems(value, schema, place, depth + 1) }
    }
    if case .array(let some)? = keywords["anyOf"] {
      var fits = false
      for schema in some where problems(value, schema, place, depth + 1).isEmpty { fits = true }
      if !fits { found.append("\(name) fits none of the forms that are allowed") }
    }
    if case .array(let some)? = keywords["oneOf"] {
      var count = 0
      for schema in some where problems(value, schema, place, depth + 1).isEmpty { count += 1 }
      if count != 1 { found.append("\(name) must fit one of the forms that are allowed, fits \(count)") }
    }
    if let forbidden = keywords["not"], problems(value, forbidden, place, depth + 1).isEmpty {
      found.append("\(name) has a form that is not allowed")
    }
    return found
  }
}
