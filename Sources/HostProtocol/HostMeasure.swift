/// One of the fields of a line that a plugin logs.
public struct HostLogField: Hashable, Sendable {
  public static let maximumCount = 32
  public static let maximumValueBytes = 1 << 10

  public var name: String
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }

  /// `[A-Za-z_][A-Za-z0-9_.-]{0,63}`
  public static func isName(_ name: some Collection<UInt8>) -> Bool {
    guard let first = name.first, name.count <= 64, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    return name.allSatisfy {
      isLetter($0) || isDigit($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0)
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// Something that a phase counts or measures, as one job left it.
public struct HostMeasure: Hashable, Sendable {
  /// Names of a phase; what comes beyond is refused.
  public static let maximumNames = 64

  public enum Kind: UInt8, Sendable, CaseIterable {
    /// The value is to be added.
    case counter = 0
    /// The value takes the place of the one before.
    case gauge = 1
  }

  public var kind: Kind
  public var name: String
  public var value: Double

  public init(kind: Kind, name: String, value: Double) {
    self.kind = kind
    self.name = name
    self.value = value
  }

  /// For people: `files 3`.
  public var words: String { "\(name) \(Int64(exactly: value).map { "\($0)" } ?? "\(value)")" }

  /// What carbontube.h says of `ct_job.measure`.
  public var isValid: Bool { Self.isName(name.utf8) && value.isFinite && (kind == .gauge || value >= 0) }

  /// `[a-z][a-z0-9_]{0,63}`
  private static func isName(_ name: some Collection<UInt8>) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    guard let first = name.first, name.count <= 64, letters.contains(first) else { return false }
    return name.allSatisfy { letters.contains($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }
}

/// Measures by name, bounded: those of one job, of one child or of one worker.
public struct HostMeasures: Hashable, Sendable {
  private var known: [String: HostMeasure] = [:]

  public init() {}

  public var isEmpty: Bool { known.isEmpty }
  /// By name.
  public var all: [HostMeasure] { known.values.sorted { $0.name < $1.name } }

  /// - Returns: false where it is none, is one name too many, or had another kind before.
  public mutating func add(_ measure: HostMeasure) -> Bool {
    guard measure.isValid else { return false }
    guard let before = known[measure.name] else {
      guard known.count < HostMeasure.maximumNames else { return false }
      known[measure.name] = measure
      return true
    }
    guard before.kind == measure.kind else { return false }
    let value = measure.kind == .counter ? before.value + measure.value : measure.value
    guard value.isFinite else { return false }
    known[measure.name]?.value = value
    return true
  }
}
