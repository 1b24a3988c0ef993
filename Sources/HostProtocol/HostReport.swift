/// Why a child will not run anything; it ends after saying so.
public struct HostRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: UInt8, Sendable, CaseIterable {
    /// The loader said no: not a shared object, symbols missing, a library it needs is not there.
    case cannotLoad = 1
    case noEntrySymbol = 2
    /// The plugin was compiled for another major version of the ABI.
    case otherABI = 3
    /// The entry returned NULL.
    case refusedHost = 4
    /// What the entry returned breaks the rules of carbontube.h.
    case malformedDescription = 5
    case unknownJobType = 6
    case unknownPipeline = 7
    /// `init()` or `create()` failed.
    case initializationFailed = 8
    /// The child was started with arguments or descriptors it cannot use: an error of the host, not of the plugin.
    case hostMisuse = 9
  }

  public var kind: Kind
  /// A clause without the file's name, e.g. `has no phase 'x'; it has: a, b`.
  public var message: String
  /// What the file offers instead, with `unknownJobType` and `unknownPipeline`.
  public var available: [String]

  public init(kind: Kind, message: String, available: [String] = []) {
    self.kind = kind
    self.message = message
    self.available = available
  }

  public var description: String { message }
}

/// The weight of a line in a log.
public enum HostLogLevel: UInt8, Sendable, CaseIterable {
  case debug = 0
  case info = 1
  case warning = 2
  case error = 3
}

/// What the child sends on the job channel. A token is that of the job or hook call it belongs to; 0 stands for none.
public enum HostReport: Hashable, Sendable {
  /// Of the frames that this build speaks; another one where any of them changes.
  public static let currentRevision: UInt32 = 3

  /// The first report of every child, before it loads anything: so an end before it is not the plugin's.
  case begun(revision: UInt32)
  /// The second report of every child that did not refuse. A scan child ends after it.
  case ready(LibraryDescription)
  case refused(HostRefusal)
  case log(token: UInt64, level: HostLogLevel, message: String, fields: [HostLogField] = [])
  /// `fraction` is within 0...1.
  case progress(token: UInt64, fraction: Double, note: String)
  /// What the job that is about to be `finished` counted and measured.
  case measured(token: UInt64, [HostMeasure])
  /// `nanoseconds`: how long the phase ran, by `CLOCK_MONOTONIC` of the child.
  case finished(token: UInt64, HostResult, nanoseconds: UInt64)
  /// Something that a pipeline's `initialize` chose, before the `hookFinished` of that call.
  case setting(token: UInt64, name: String, value: String)
  /// `.unsupported`: the author did not write this hook; there is no use in calling it again.
  case hookFinished(token: UInt64, HostResult)
  /// The job was taken back before it began (`HostControl.withdraw`); there will be no `finished` for it.
  case withdrawn(token: UInt64)
}
