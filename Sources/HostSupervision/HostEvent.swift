public import HostProtocol

/// Something that happened in a child. A token is that of the job or hook call it belongs to; 0 stands for none.
public enum HostEvent: Hashable, Sendable {
  /// Loaded, and made an instance of what it is for; the first event of every child that does not refuse. Holds all
  /// that the file offers, with the definitions of its pipelines.
  case ready(LibraryDescription)
  /// It will run nothing, and ends.
  case refused(HostRefusal)
  case log(token: UInt64, level: HostLogLevel, message: String, fields: [HostLogField] = [])
  /// `fraction` is within 0...1.
  case progress(token: UInt64, fraction: Double, note: String)
  /// What the job that is about to be `finished` counted and measured.
  case measured(token: UInt64, [HostMeasure])
  /// Comes in the order in which the jobs were given. `nanoseconds`: how long the phase ran, as the child says.
  case finished(token: UInt64, HostResult, nanoseconds: UInt64)
  /// Something that a pipeline's `initialize` chose, before the `hookFinished` of that call.
  case setting(token: UInt64, name: String, value: String)
  /// `.unsupported`: the author did not write this hook; there is no use in calling it again.
  case hookFinished(token: UInt64, HostResult)
  /// `PluginHost.withdraw` came before the job began; it never will.
  case withdrawn(token: UInt64)
  /// It sent something that makes no sense. Nothing more is read from it, it is killed, and `.closed` follows.
  case malformed(reason: String)
  /// It has ended, and nothing of it is left; the last event. Call `finish()` to learn why.
  case closed

  /// Nil for what concerns `PluginHost` alone.
  init?(_ report: HostReport) {
    switch report {
    case .begun: return nil
    case .ready(let library): self = .ready(library)
    case .refused(let refusal): self = .refused(refusal)
    case .log(let token, let level, let message, let fields):
      self = .log(token: token, level: level, message: message, fields: fields)
    case .measured(let token, let measures): self = .measured(token: token, measures)
    case .progress(let token, let fraction, let note): self = .progress(token: token, fraction: fraction, note: note)
    case .finished(let token, let result, let nanoseconds):
      self = .finished(token: token, result, nanoseconds: nanoseconds)
    case .setting(let token, let name, let value): self = .setting(token: token, name: name, value: value)
    case .hookFinished(let token, let result): self = .hookFinished(token: token, result)
    case .withdrawn(let token): self = .withdrawn(token: token)
    }
  }
}
