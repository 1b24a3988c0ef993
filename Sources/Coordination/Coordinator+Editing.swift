internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A requeue that brings the job new instructions.
extension Coordinator {
  /// - Parameter instructions: as on the wire.
  func requeue(
    _ arguments: JobFilterArguments, with instructions: [UInt8], _ answer: AnswerTo<Verbs.Requeue>
  ) throws(Refusal) {
    let filter = try arguments.filter(in: pipeline, toChange: true)
    guard let id = filter.id, filter == JobFilter(id: id) else {
      throw Refusal(code: .invalid, message: "instructions are for one job: name it by 'id' and by nothing else")
    }
    try requireOpen()
    let bytes = instructions.count
    guard checks.hasRoom(for: bytes), edits.hasRoom(for: bytes, within: connections.maximumMessageBytes) else {
      throw Refusal(code: .busy, message: "busy, try again later")
    }
    checks.check([instructions]) { [unowned self] problems in
      if let problem = problems[0] { return answer.refuse(.invalid, problem) }
      store(instructions, of: id, answer)
    }
  }

  private func store(_ instructions: [UInt8], of id: JobID, _ answer: AnswerTo<Verbs.Requeue>) {
    do throws(Refusal) { try requireOpen() } catch { return answer.refuse(error.code, error.message) }
    let (wall, bytes) = (moment().wall, instructions.count)
    edits.add(bytes)
    run({ store throws(StoreError) in try store.requeue(id, with: instructions, now: wall) }) { [unowned self] result in
      edits.remove(bytes)
      switch result {
      case .success(let (_, step)?) where step.changed > 0:
        followChanges(of: step)
        answer.send(.ended(.requeued, step.changed))
      case .success(let (was, _)?):
        answer.refuse(.invalid, "job '\(id)' is \(was)\(Self.advice(on: .requeue, was)); its instructions stay")
      case .success(nil): answer.refuse(.notFound, "no job '\(id)'")
      case .failure(let error): answer.refuse(.unavailable, error.message)
      }
    }
  }
}
