internal import PipelineModel
internal import WireProtocol

/// What a worker says of itself, out of how its slots stand. A pure decision.
struct ServiceState: Equatable {
  var state: WorkerState
  /// Jobs it can run at a time.
  var slots: Int
  /// Empty where all is well.
  var reason: String

  /// - Parameters:
  ///   - quarantine: why nothing of this build is run; nil where it may.
  init(slots standings: some Sequence<ChildHealth.Standing>, isServing: Bool, quarantine: String?) {
    var (able, failing, all) = (0, 0, 0)
    var problem = ""
    for standing in standings {
      all += 1
      switch standing {
      case .able: able += 1
      case .starting: break
      case .failing(let reason):
        failing += 1
        if problem.isEmpty { problem = reason }
      }
    }
    slots = able
    if !isServing {
      (state, reason) = (.draining, "")
    } else if let quarantine {
      (state, reason) = (.impaired, "quarantined: \(quarantine)")
    } else if able > 0 {
      (state, reason) = (.serving, failing == 0 ? "" : "\(failing) of \(all) children do not start: \(problem)")
    } else if failing > 0 {
      (state, reason) = (.impaired, problem)
    } else {
      (state, reason) = (.starting, "its children are not ready yet")
    }
  }
}
