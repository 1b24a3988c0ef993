private enum RequestKind: UInt8 {
  case job = 0x01
  case hook = 0x02
  case setup = 0x03
}

private enum HookKind: UInt8 {
  case initialize = 1
  case started = 2
  case finished = 3
  case finishedJob = 4
}

private enum ControlKind: UInt8 {
  case cancel = 0x41
  case stop = 0x42
  case withdraw = 0x43
}

extension HostRequest {
  /// The whole frame, length included.
  public func encoded() -> [UInt8] {
    switch self {
    case .job(let job): encode(job)
    case .hook(let call): encode(call)
    case .setup(let setup): encode(setup)
    }
  }

  /// - Parameter body: one frame as `FrameBuffer.next()` gives it.
  public init(frame body: FrameBody) throws(FrameError) {
    var reader = FrameReader(body)
    switch try reader.choice(RequestKind.self) {
    case .job: self = .job(try readJob(&reader))
    case .hook: self = .hook(try readHookCall(&reader))
    case .setup: self = .setup(try readSetup(&reader))
    }
    try reader.end()
  }
}

extension HostControl {
  /// The whole frame, length included.
  public func encoded() -> [UInt8] {
    switch self {
    case .cancel(let token):
      var writer = FrameWriter(kind: ControlKind.cancel.rawValue)
      writer.number(token)
      return writer.finish()
    case .stop:
      return FrameWriter(kind: ControlKind.stop.rawValue).finish()
    case .withdraw(let token):
      var writer = FrameWriter(kind: ControlKind.withdraw.rawValue)
      writer.number(token)
      return writer.finish()
    }
  }

  /// - Parameter body: one frame as `FrameBuffer.next()` gives it.
  public init(frame body: FrameBody) throws(FrameError) {
    var reader = FrameReader(body)
    switch try reader.choice(ControlKind.self) {
    case .cancel: self = .cancel(token: try reader.number())
    case .stop: self = .stop
    case .withdraw: self = .withdraw(token: try reader.number())
    }
    try reader.end()
  }
}

private func encode(_ job: HostJob) -> [UInt8] {
  var writer = FrameWriter(kind: RequestKind.job.rawValue, reserving: 160 + job.instructions.count)
  writer.number(job.token)
  writer.number(job.attempt)
  writer.number(job.deadlineUnixMilliseconds)
  writer.text(job.jobID)
  writer.text(job.pipeline)
  writer.byteString(job.instructions)
  return writer.finish()
}

private func readJob(_ reader: inout FrameReader) throws(FrameError) -> HostJob {
  let token: UInt64 = try reader.number()
  let attempt: UInt32 = try reader.number()
  let deadline: Int64 = try reader.number()
  return HostJob(
    token: token, jobID: try reader.text(), pipeline: try reader.text(), attempt: attempt,
    deadlineUnixMilliseconds: deadline, instructions: try reader.byteString())
}

private func encode(_ setup: HostSetup) -> [UInt8] {
  var writer = FrameWriter(kind: RequestKind.setup.rawValue)
  // In an order that does not change from run to run.
  writer.list(setup.environment.sorted { $0.key < $1.key }) { writer, variable in
    writer.text(variable.key)
    writer.text(variable.value)
  }
  writer.byteString(setup.settings)
  return writer.finish()
}

private func readSetup(_ reader: inout FrameReader) throws(FrameError) -> HostSetup {
  let variables = try reader.list(limit: HostSetup.maximumVariables) { reader throws(FrameError) in
    (try reader.text(), try reader.text())
  }
  // As they are written, each once.
  guard zip(variables, variables.dropFirst()).allSatisfy({ $0.0 < $1.0 }) else {
    throw FrameError("variables out of order")
  }
  return HostSetup(
    environment: Dictionary(variables) { _, last in last }, settings: try reader.byteString())
}

private func encode(_ call: HostHookCall) -> [UInt8] {
  var writer = FrameWriter(kind: RequestKind.hook.rawValue)
  writer.number(call.token)
  switch call.hook {
  case .initialize: writer.number(HookKind.initialize.rawValue)
  case .started: writer.number(HookKind.started.rawValue)
  case .finished: writer.number(HookKind.finished.rawValue)
  case .finishedJob(let jobID, let pipeline, let state, let instructions):
    writer.number(HookKind.finishedJob.rawValue)
    writer.text(jobID)
    writer.text(pipeline)
    writer.text(state)
    writer.byteString(instructions)
  }
  return writer.finish()
}

private func readHookCall(_ reader: inout FrameReader) throws(FrameError) -> HostHookCall {
  let token: UInt64 = try reader.number()
  switch try reader.choice(HookKind.self) {
  case .initialize: return HostHookCall(token: token, hook: .initialize)
  case .started: return HostHookCall(token: token, hook: .started)
  case .finished: return HostHookCall(token: token, hook: .finished)
  case .finishedJob:
    let hook = HostHook.finishedJob(
      jobID: try reader.text(), pipeline: try reader.text(), state: try reader.text(),
      instructions: try reader.byteString())
    return HostHookCall(token: token, hook: hook)
  }
}
