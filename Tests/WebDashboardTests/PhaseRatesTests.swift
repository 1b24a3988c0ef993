import Testing

@testable import WebDashboard

@Suite struct PhaseRatesTests {
  private func rates(_ readings: [(Int64, Int64, [Int64])]) -> PhaseRates {
    var rates = PhaseRates()
    for (at, succeeded, latency) in readings {
      rates.add(PhaseRates.Reading(atMilliseconds: at, succeeded: succeeded, latency: latency))
    }
    return rates
  }

  @Test func `The rate is that of the last five seconds`() {
    let readings = (0...20).map { (second: Int64) -> (Int64, Int64, [Int64]) in
      (second * 1_000, max(0, second - 10) * 100, [])
    }
    #expect(rates(readings).perSecond == 100)
    #expect(rates(Array(readings.prefix(11))).perSecond == 0)
  }

  @Test func `One reading tells no rate`() {
    #expect(rates([(1_000, 50, [1, 2])]).perSecond == 0)
    #expect(PhaseRates().perSecond == 0)
  }

  @Test func `A coordinator that began anew is not counted backwards`() {
    #expect(rates([(0, 500, []), (1_000, 600, []), (2_000, 3, []), (3_000, 13, [])]).perSecond == 10)
  }

  @Test func `Percentiles are those of the last minute`() {
    let bounds: [Int64] = [100, 200]
    let readings: [(Int64, Int64, [Int64])] = [
      (0, 0, [1_000, 0, 0]), (70_000, 10, [1_000, 0, 0]), (80_000, 20, [1_000, 9, 1]),
    ]
    #expect(rates(readings).percentile(0.5, bounds: bounds) == 200)
    #expect(rates(readings).percentile(0.99, bounds: bounds) == 200)
    #expect(rates([(0, 0, [3, 0, 0]), (1_000, 0, [3, 0, 0])]).percentile(0.5, bounds: bounds) == nil)
  }
}
