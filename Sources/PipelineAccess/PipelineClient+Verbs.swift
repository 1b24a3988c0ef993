public import ControlProtocol
internal import WireProtocol

// Questions whose arguments and answers are types. `request` with a verb's name is for what these do not know.

extension PipelineClient {
  /// Asks the coordinator for what a verb does.
  ///
  ///     let status = try client.ask(Verbs.Status.self)
  ///     let job = try client.ask(Verbs.Job.self, .init(id: "mine"))
  ///
  /// - Parameter pipeline: empty: whichever the coordinator runs.
  /// - Throws: where the answer is a refusal its `code` says which: `.refused` will not be carried out, `.busy` and
  ///   `.unavailable` may be later.
  @available(*, noasync, message: "blocks; in a task write: try await ask(…)")
  public func ask<V: Verb>(
    _ verb: V.Type, _ arguments: V.Arguments, pipeline: String = ""
  ) throws(PipelineClientError) -> V.Answer {
    try document(of: verb, in: request(verb, arguments, pipeline: pipeline))
  }

  /// See `ask(_:_:pipeline:)`.
  @available(*, noasync, message: "blocks; in a task write: try await ask(…)")
  public func ask<V: Verb>(
    _ verb: V.Type, pipeline: String = ""
  ) throws(PipelineClientError) -> V.Answer where V.Arguments == NoArguments {
    try ask(verb, NoArguments(), pipeline: pipeline)
  }

  /// See the other form; blocks no thread.
  ///
  /// - Throws: `PipelineClientError`; `CancellationError`, after which what was asked for may be done nevertheless.
  public func ask<V: Verb>(
    _ verb: V.Type, _ arguments: V.Arguments, pipeline: String = ""
  ) async throws -> V.Answer {
    try document(of: verb, in: try await request(verb, arguments, pipeline: pipeline))
  }

  /// See the other form; blocks no thread.
  public func ask<V: Verb>(
    _ verb: V.Type, pipeline: String = ""
  ) async throws -> V.Answer where V.Arguments == NoArguments {
    try await ask(verb, NoArguments(), pipeline: pipeline)
  }

  /// The answer as it came, whatever its code, with the payloads behind it: the instructions of jobs.
  ///
  /// - Parameter instructions: for a verb that takes some: JSON text, one object.
  @available(*, noasync, message: "blocks; in a task write: try await request(…)")
  public func request<V: Verb>(
    _ verb: V.Type, _ arguments: V.Arguments, pipeline: String = "", instructions: [UInt8]? = nil
  ) throws(PipelineClientError) -> Answer {
    try request(
      verb.name, pipeline: pipeline, arguments: ControlJSON.text(of: arguments), instructions: instructions)
  }

  /// See the other form; blocks no thread.
  public func request<V: Verb>(
    _ verb: V.Type, _ arguments: V.Arguments, pipeline: String = "", instructions: [UInt8]? = nil
  ) async throws -> Answer {
    try await request(
      verb.name, pipeline: pipeline, arguments: ControlJSON.text(of: arguments), instructions: instructions)
  }

  private func document<V: Verb>(of verb: V.Type, in answer: Answer) throws(PipelineClientError) -> V.Answer {
    if let refusal = PipelineClientError(answer.code, "\(address): \(answer.message)") { throw refusal }
    do {
      return try answer.decoded()
    } catch {
      throw PipelineClientError(.protocolViolation, "\(address) answers \(verb.name) with what is no answer to it")
    }
  }
}

extension PipelineClientError {
  /// Nil for a code that is none of a refusal.
  fileprivate init?(_ code: ReplyCode, _ message: String) {
    switch code {
    case .ok, .duplicate: return nil
    case .busy: self.init(.busy, message, code)
    case .unavailable, .stopping: self.init(.unavailable, message, code)
    case .invalid, .notFound, .unfit: self.init(.refused, message, code)
    }
  }
}
