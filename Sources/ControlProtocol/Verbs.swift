/// The verbs, each a type: `Verbs.Status`, `Verbs.Job`, ….
public enum Verbs {
  /// Every one there is.
  public static let all: [any Verb.Type] = [
    Ping.self, Status.self, Totals.self, Metrics.self, History.self, Logs.self,
    Job.self, Jobs.self, Count.self, States.self, Await.self,
    Cancel.self, Requeue.self, Delete.self, Pause.self, Resume.self,
    Action.self, Actions.self, StopAction.self,
    Drain.self, Release.self,
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// - Parameter name: as on the wire.
  public static func named(_ name: String) -> (any Verb.Type)? { byName[name] }
}
