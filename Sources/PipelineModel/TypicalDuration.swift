/// How long a run of a phase usually takes: an exponential moving average of which no sample moves more than a tenth up.
///
/// On a machine with more processes than processors a few runs last as long as their process waited for its turn, which
/// says nothing about the phase. Counted in full they would make quick jobs look slow, so that fewer go to a worker at a
/// time, so that processes wait for their turn more often. A phase that has become slow shows it run after run: ten times
/// as slow is noticed after some thirty runs.
public struct TypicalDuration: Sendable {
  /// In microseconds; nil until the first sample.
  public private(set) var microseconds: Double?

  private static let weight = 0.1

  public init() {}

  public mutating func note(microseconds sample: Int64) {
    let sample = Double(max(1, sample))
    microseconds = microseconds.map { $0 + (min(sample, $0 * 2) - $0) * Self.weight } ?? sample
  }
}
