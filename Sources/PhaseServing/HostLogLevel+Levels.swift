package import HostProtocol
package import Logging
internal import WireProtocol

extension Logger.Level {
  /// What a plugin logged, as the process that runs it logs it.
  package init(_ level: HostLogLevel) {
    switch level {
    case .debug: self = .debug
    case .info: self = .info
    case .warning: self = .warning
    case .error: self = .error
    }
  }
}

extension LogLine.Level {
  init(_ level: HostLogLevel) {
    switch level {
    case .debug: self = .debug
    case .info: self = .info
    case .warning: self = .warning
    case .error: self = .error
    }
  }
}
