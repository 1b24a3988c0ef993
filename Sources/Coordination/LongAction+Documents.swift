internal import ControlProtocol
internal import JobStorage

extension ActionDocument {
  init(_ action: LongAction) {
    self.init(
      action: action.id, verb: action.verb.name, state: action.state.rawValue, changed: action.changed,
      examined: action.examined, startedAtMs: action.startedAt.milliseconds, error: action.error)
  }
}

extension ChangeDocument.Change {
  init(_ action: FilterAction) {
    switch action {
    case .cancel: self = .cancelled
    case .requeue: self = .requeued
    case .delete: self = .deleted
    }
  }
}
