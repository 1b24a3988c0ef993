/// A JSON Schema that a plugin declares for its settings, of the draft of 2020-12 (json-schema.org/draft/2020-12) as far as
/// settings need it. A schema with an assertion that is not known is refused as a whole: what it forbids would go through.
public struct SettingsSchema: Sendable {
  let root: SettingsValue
  /// By their source.
  private(set) var patterns: [String: SchemaPattern] = [:]

  /// - Throws: `SettingsError` where it is no JSON, no schema, or needs what is not known here.
  public init(parsing text: String) throws(SettingsError) {
    root = try SettingsValue(parsing: Array(text.utf8))
    try check(root, depth: 0)
  }

  /// What is wrong with settings, a clause for each, most 20: `/database/port must be an integer`. They name places, never
  /// values, which may be secret.
  public func problems(with settings: SettingsValue) -> [String] {
    var checking = Checking(root: root, patterns: patterns)
    return Array(checking.problems(settings, root, "", 0).prefix(20))
  }

  // MARK: - The schema itself

  private static let annotations: Set<String> = [
    "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "format", "contentEncoding", "contentMediaType",
  ]
  private static let assertions: Set<String> = [
    "type", "enum", "const", "properties", "required", "additionalProperties", "minProperties", "maxProperties",
    "propertyNames", "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "allOf", "oneOf", "not",
    "$ref",
  ]
  static let maximumDepth = 64
  private static let maximumPatterns = 100

  private mutating func check(_ schema: SettingsValue, depth: Int) throws(SettingsError) {
    guard depth <= Self.maximumDepth else { throw SettingsError("nests deeper than \(Self.maximumDepth) levels") }
    if case .bool = schema { return }
    guard case .object(let members) = schema else { throw SettingsError("is no JSON Schema: an object, true or false") }
    for name in members.keys.sorted() where !Self.annotations.contains(name) && !Self.assertions.contains(name) {
      throw SettingsError("uses the keyword '\(name)', which CarbonTube does not check")
    }
    if let reference = members["$ref"], Checking(root: root).target(of: reference) == nil {
      throw SettingsError("has a $ref to what is not in its own $defs")
    }
    if let pattern = members["pattern"] { try compile(pattern) }
    for inner in Self.innerSchemas(of: members) { try check(inner, depth: depth + 1) }
  }

  private mutating func compile(_ pattern: SettingsValue) throws(SettingsError) {
    guard case .string(let source) = pattern else { throw SettingsError("has a 'pattern' that is no text") }
    guard patterns[source] == nil else { return }
    guard patterns.count < Self.maximumPatterns else {
      throw SettingsError("has more than \(Self.maximumPatterns) different patterns")
    }
    patterns[source] = try SchemaPattern(source)
  }

  private static func innerSchemas(of members: [String: SettingsValue]) -> [SettingsValue] {
    var found: [SettingsValue] = []
    for name in ["properties", "$defs", "definitions"] {
      if case .object(let schemas)? = members[name] { found += schemas.values }
    }
    for name in ["anyOf", "allOf", "oneOf", "prefixItems"] {
      if case .array(let schemas)? = members[name] { found += schemas }
    }
    return found + ["additionalProperties", "propertyNames", "items", "not"].compactMap { members[$0] }
  }
}
