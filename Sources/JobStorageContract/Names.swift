package import PipelineModel

extension JobID {
  package static func named(_ text: String) -> JobID {
    guard let id = JobID(text) else { preconditionFailure("not an id: \(text)") }
    return id
  }
}

extension WorkerID {
  package static func named(_ text: String) -> WorkerID {
    guard let id = WorkerID(text) else { preconditionFailure("not a worker: \(text)") }
    return id
  }
}
