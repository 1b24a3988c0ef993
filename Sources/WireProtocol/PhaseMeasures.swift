public import PipelineModel

/// Something that a phase counts or measures, added up over jobs.
public struct PhaseMeasure: Hashable, Sendable {
  /// Of one phase; what comes beyond is not taken.
  public static let maximumNames = 64
  static let maximumNameBytes = 64

  public enum Reading: Hashable, Sendable {
    /// What was counted, zero or more.
    case counter(Double)
    case gauge(latest: Double, lowest: Double, highest: Double)
  }

  /// `[a-z][a-z0-9_]{0,63}`
  public var name: String
  public var reading: Reading

  public init(name: String, reading: Reading) {
    self.name = name
    self.reading = reading
  }

  public var isValid: Bool { Self.isName(name.utf8) && reading.isValid }

  private static func isName(_ name: some Collection<UInt8>) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = name.first, name.count <= maximumNameBytes, letters.contains(first) else { return false }
    return name.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
  }
}

extension PhaseMeasure.Reading {
  var isValid: Bool {
    switch self {
    case .counter(let value): value.isFinite && value >= 0
    case .gauge(let latest, let lowest, let highest):
      latest.isFinite && lowest.isFinite && highest.isFinite && lowest <= latest && latest <= highest
    }
  }

  /// Nil where the two are not of one kind, or a sum would be no number any more.
  func followed(by later: Self) -> Self? {
    switch (self, later) {
    case (.counter(let before), .counter(let more)):
      let sum: Self = .counter(before + more)
      return sum.isValid ? sum : nil
    case (.gauge(_, let low, let high), .gauge(let latest, let lowest, let highest)):
      return .gauge(latest: latest, lowest: min(low, lowest), highest: max(high, highest))
    default: return nil
    }
  }
}

/// Measures by name, bounded: what waits at a worker to be told, or all that a coordinator was told of a phase.
public struct PhaseMeasures: Hashable, Sendable {
  private var known: [String: PhaseMeasure.Reading] = [:]

  public init() {}

  public var isEmpty: Bool { known.isEmpty }
  /// By name.
  public var all: [PhaseMeasure] {
    known.sorted { $0.key < $1.key }.map { PhaseMeasure(name: $0.key, reading: $0.value) }
  }

  /// - Returns: false where it is none, is one name too many, or had another kind before; nothing is changed then.
  public mutating func add(_ measure: PhaseMeasure) -> Bool {
    guard measure.isValid else { return false }
    guard let before = known[measure.name] else {
      guard known.count < PhaseMeasure.maximumNames else { return false }
      known[measure.name] = measure.reading
      return true
    }
    guard let sum = before.followed(by: measure.reading) else { return false }
    known[measure.name] = sum
    return true
  }
}

/// What jobs of a worker have counted and measured since it said so last.
public struct MeasuresReport: Hashable, Sendable {
  /// Whoever says in its welcome that it knows less would take this for nonsense.
  public static let sinceMinorVersion = 1

  public var worker: WorkerID
  public var measures: [PhaseMeasure]

  public init(worker: WorkerID, measures: [PhaseMeasure]) {
    self.worker = worker
    self.measures = measures
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.measures, reserving: 64 + 64 * measures.count)
    writer.put(worker.text)
    writer.put(measures.count)
    for measure in measures {
      switch measure.reading {
      case .counter(let value):
        writer.put(byte: 0)
        writer.put(measure.name)
        writer.put(value)
      case .gauge(let latest, let lowest, let highest):
        writer.put(byte: 1)
        writer.put(measure.name)
        for value in [latest, lowest, highest] { writer.put(value) }
      }
    }
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    let count = try reader.count(atMost: PhaseMeasure.maximumNames)
    measures = []
    for _ in 0..<count { measures.append(try reader.measure()) }
  }
}

extension HeaderReader {
  fileprivate mutating func measure() throws(WireError) -> PhaseMeasure {
    let isGauge = try flag()
    let name = try text(atMost: PhaseMeasure.maximumNameBytes)
    let reading: PhaseMeasure.Reading =
      isGauge
      ? .gauge(latest: try double(), lowest: try double(), highest: try double()) : .counter(try double())
    let measure = PhaseMeasure(name: name, reading: reading)
    guard measure.isValid else { throw WireError("a measure with a name or a value that it cannot have") }
    return measure
  }
}
