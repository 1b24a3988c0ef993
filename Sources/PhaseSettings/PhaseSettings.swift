/// The settings of one or several phases: those for all, and those for one job type, which win.
public struct PhaseSettings: Hashable, Sendable {
  private var common = SettingsValue.object([:])
  private var byJobType: [String: SettingsValue] = [:]

  /// None.
  public init() {}

  /// For every phase.
  /// - Parameter json: an object.
  /// - Throws: `SettingsError` where it is none.
  public init(json: [UInt8]) throws(SettingsError) {
    try add(SettingsValue(parsing: json), to: nil)
  }

  /// Adds to what there is; of a member that is there already the new value counts, objects are merged.
  /// - Parameter jobType: nil: for every phase.
  /// - Throws: `SettingsError` where they are no object.
  public mutating func add(_ settings: SettingsValue, to jobType: String?) throws(SettingsError) {
    guard case .object = settings else { throw SettingsError("is no JSON object") }
    if let jobType {
      byJobType[jobType] = (byJobType[jobType] ?? .object([:])).merged(with: settings)
    } else {
      common = common.merged(with: settings)
    }
  }

  /// Adds one member, at a path of names with dots between them.
  public mutating func set(_ path: String, to value: SettingsValue, of jobType: String?) throws(SettingsError) {
    let names = path.split(separator: ".", omittingEmptySubsequences: false)
    guard names.count <= SettingsValue.maximumDepth, names.allSatisfy({ !$0.isEmpty }) else {
      throw SettingsError("has an empty name in '\(path)', or too many")
    }
    try add(names.reversed().reduce(value) { .object([String($1): $0]) }, to: jobType)
  }

  /// What the phase is given.
  public func value(for jobType: String) -> SettingsValue {
    byJobType[jobType].map { common.merged(with: $0) } ?? common
  }

  /// Job types that have settings of their own.
  public var jobTypes: Set<String> { Set(byJobType.keys) }
}
