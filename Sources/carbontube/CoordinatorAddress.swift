internal import FoundationEssentials
internal import CarbonTube

/// Where the coordinator is that a command talks to, where its command line does not say.
enum CoordinatorAddress {
  static let variable = "CARBONTUBE_ADDRESS"
  static let usual = "tcp://127.0.0.1:5050"
  /// For the help of options.
  static let helpOfDefault = "Default: \(variable), else \(usual)."

  /// As the environment names it; nil where it does not. An empty variable is an unset one, as everywhere.
  /// - Throws: where it is no address.
  static func named(
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CommandFailure) -> String? {
    guard let address = environment[variable], !address.isEmpty else { return nil }
    if let problem = addressProblem(address, binding: false) {
      throw CommandFailure(.usage, "\(variable): \(problem)")
    }
    return address
  }

  /// - Parameter given: on the command line; it goes before the environment, whatever that says.
  static func resolved(_ given: String?) throws(CommandFailure) -> String {
    if let given { return given }
    return try named() ?? usual
  }
}
