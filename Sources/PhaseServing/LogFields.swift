internal import HostProtocol
internal import Logging

extension [HostLogField] {
  /// Of a name that stands twice the last counts.
  var metadata: Logger.Metadata { Dictionary(map { ($0.name, "\($0.value)") }) { _, last in last } }

  /// Where a line is but a text.
  func appended(to message: String) -> String {
    guard !isEmpty else { return message }
    return "\(message) [\(map { "\($0.name) \($0.value)" }.joined(separator: ", "))]"
  }
}
