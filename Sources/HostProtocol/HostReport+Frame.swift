private enum ReportKind: UInt8 {
  case begun = 0x80
  case ready = 0x81
  case refused = 0x82
  case log = 0x83
  case progress = 0x84
  case finished = 0x85
  case setting = 0x86
  case hookFinished = 0x87
  case withdrawn = 0x88
  case measured = 0x89
}

extension HostReport {
  /// The whole frame, length included.
  public func encoded() -> [UInt8] {
    var writer = FrameWriter(kind: kind.rawValue)
    switch self {
    case .begun(let revision): writer.number(revision)
    case .ready(let library): writer.library(library)
    case .refused(let refusal):
      writer.number(refusal.kind.rawValue)
      writer.text(refusal.message)
      writer.list(refusal.available) { $0.text($1) }
    case .log(let token, let level, let message, let fields):
      writer.number(token)
      writer.number(level.rawValue)
      writer.text(message)
      writer.list(fields) { writer, field in
        writer.text(field.name)
        writer.text(field.value)
      }
    case .measured(let token, let measures):
      writer.number(token)
      writer.list(measures) { writer, measure in
        writer.number(measure.kind.rawValue)
        writer.text(measure.name)
        writer.number(measure.value.bitPattern)
      }
    case .progress(let token, let fraction, let note):
      writer.number(token)
      writer.number(fraction.bitPattern)
      writer.text(note)
    case .finished(let token, let result, let nanoseconds):
      writer.number(token)
      writer.number(nanoseconds)
      writer.result(result)
    case .hookFinished(let token, let result):
      writer.number(token)
      writer.result(result)
    case .setting(let token, let name, let value):
      writer.number(token)
      writer.text(name)
      writer.text(value)
    case .withdrawn(let token): writer.number(token)
    }
    return writer.finish()
  }

  /// - Parameter body: one frame as `FrameBuffer.next()` gives it.
  public init(frame body: FrameBody) throws(FrameError) {
    var reader = FrameReader(body)
    switch try reader.choice(ReportKind.self) {
    case .begun: self = .begun(revision: try reader.number())
    case .ready: self = .ready(try reader.library())
    case .refused: self = .refused(try reader.refusal())
    case .log: self = try reader.log()
    case .measured: self = try reader.measured()
    case .progress: self = try reader.progress()
    case .finished:
      let (token, nanoseconds): (UInt64, UInt64) = (try reader.number(), try reader.number())
      self = .finished(token: token, try reader.result(), nanoseconds: nanoseconds)
    case .setting: self = .setting(token: try reader.number(), name: try reader.text(), value: try reader.text())
    case .hookFinished: self = .hookFinished(token: try reader.number(), try reader.result())
    case .withdrawn: self = .withdrawn(token: try reader.number())
    }
    try reader.end()
  }

  private var kind: ReportKind {
    switch self {
    case .begun: .begun
    case .ready: .ready
    case .refused: .refused
    case .log: .log
    case .progress: .progress
    case .finished: .finished
    case .setting: .setting
    case .hookFinished: .hookFinished
    case .withdrawn: .withdrawn
    case .measured: .measured
    }
  }
}

extension FrameWriter {
  fileprivate mutating func result(_ result: HostResult) {
    number(result.status.rawValue)
    optional(result.output) { $0.byteString($1) }
    optional(result.error) { writer, error in
      writer.text(error.message)
      writer.text(error.type)
      writer.text(error.location)
      writer.number(error.code)
    }
    optional(result.retryAfterMilliseconds) { $0.number($1) }
  }
}

extension FrameReader {
  fileprivate mutating func result() throws(FrameError) -> HostResult {
    let result = HostResult(
      status: try choice(),
      output: try optional { reader throws(FrameError) in try reader.byteString() },
      error: try optional { reader throws(FrameError) in try reader.error() },
      retryAfterMilliseconds: try optional { reader throws(FrameError) in try reader.number(UInt64.self) })
    guard (result.error == nil) == (result.status == .ok) else {
      throw FrameError("a result whose status and error contradict each other")
    }
    return result
  }

  private mutating func error() throws(FrameError) -> HostError {
    HostError(message: try text(), type: try text(), location: try text(), code: try number())
  }

  fileprivate mutating func refusal() throws(FrameError) -> HostRefusal {
    HostRefusal(
      kind: try choice(), message: try text(),
      available: try list(limit: LibraryDescription.maximumEntries) { reader throws(FrameError) in try reader.text() })
  }

  fileprivate mutating func log() throws(FrameError) -> HostReport {
    let (token, level, message): (UInt64, HostLogLevel, String) = (try number(), try choice(), try text())
    let fields = try list(limit: HostLogField.maximumCount) { reader throws(FrameError) in
      let field = HostLogField(name: try reader.text(), value: try reader.text())
      guard HostLogField.isName(field.name.utf8) else { throw FrameError("a field of a log line without a name") }
      return field
    }
    return .log(token: token, level: level, message: message, fields: fields)
  }

  fileprivate mutating func measured() throws(FrameError) -> HostReport {
    let token: UInt64 = try number()
    let measures = try list(limit: HostMeasure.maximumNames) { reader throws(FrameError) in
      let kind: HostMeasure.Kind = try reader.choice()
      let measure = HostMeasure(kind: kind, name: try reader.text(), value: Double(bitPattern: try reader.number()))
      guard measure.isValid else { throw FrameError("a measure that is none") }
      return measure
    }
    return .measured(token: token, measures)
  }

  fileprivate mutating func progress() throws(FrameError) -> HostReport {
    let token: UInt64 = try number()
    let fraction = Double(bitPattern: try number())
    guard (0...1).contains(fraction) else { throw FrameError("a progress outside of 0...1") }
    return .progress(token: token, fraction: fraction, note: try text())
  }
}
