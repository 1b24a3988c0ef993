/// The stations that jobs of a pipeline go to, and the way from each to the next: the one place that knows it.
///
/// A station is known by its index. What is routed today is a line; what branches will be another way to make a plan.
public struct Plan: Hashable, Sendable {
  /// Where a job goes that is done at a station.
  public enum Route: Hashable, Sendable {
    case next(Int)
    /// It has succeeded.
    case end
  }

  public let stations: [PhaseDefinition]
  /// Where new jobs begin.
  public let start: Int
  /// By station.
  private let routes: [Route]

  /// Each station in its turn, from the first to the last.
  public init(line stations: [PhaseDefinition]) {
    self.stations = stations
    start = 0
    routes = stations.indices.map { $0 + 1 < stations.count ? .next($0 + 1) : .end }
  }

  /// Ends for a station that the plan does not have.
  public func route(after station: Int) -> Route { routes.indices.contains(station) ? routes[station] : .end }
}
