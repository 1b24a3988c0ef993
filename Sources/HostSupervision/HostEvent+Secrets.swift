import HostProtocol

extension HostEvent {
  /// The same with `***` for secrets, in all but results, which are the phase's work, and settings of a pipeline, which
  /// are orders to the coordinator.
  func redacted(by secrets: SecretValues) -> HostEvent {
    switch self {
    case .log(let token, let level, let message, let fields):
      .log(
        token: token, level: level, message: secrets.redacting(message), fields: fields.map { $0.redacted(by: secrets) }
      )
    case .measured(let token, let measures):
      .measured(token: token, measures.filter { secrets.redacting($0.name) == $0.name })
    case .progress(let token, let fraction, let note):
      .progress(token: token, fraction: fraction, note: secrets.redacting(note))
    case .finished(let token, let result, let nanoseconds):
      .finished(token: token, result.redacted(by: secrets), nanoseconds: nanoseconds)
    case .hookFinished(let token, let result): .hookFinished(token: token, result.redacted(by: secrets))
    case .refused(let refusal): .refused(refusal.redacted(by: secrets))
    case .malformed(let reason): .malformed(reason: secrets.redacting(reason))
    case .ready, .setting, .withdrawn, .closed: self
    }
  }
}

extension HostLogField {
  fileprivate func redacted(by secrets: SecretValues) -> HostLogField {
    let hidden = secrets.redacting(name)
    return HostLogField(name: hidden == name ? name : "redacted", value: secrets.redacting(value))
  }
}

extension HostResult {
  fileprivate func redacted(by secrets: SecretValues) -> HostResult {
    guard var error else { return self }
    error.message = secrets.redacting(error.message)
    error.type = secrets.redacting(error.type)
    error.location = secrets.redacting(error.location)
    var result = self
    result.error = error
    return result
  }
}

extension HostRefusal {
  fileprivate func redacted(by secrets: SecretValues) -> HostRefusal {
    var refusal = self
    refusal.message = secrets.redacting(message)
    return refusal
  }
}
