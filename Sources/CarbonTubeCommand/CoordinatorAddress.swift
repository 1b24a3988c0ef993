internal import FoundationEssentials
internal import CarbonTube
internal import Glibc

/// Where the coordinator is that a command talks to: what its command line says, else the environment, else the current
/// context, else the usual place.
enum CoordinatorAddress {
  static let variable = "CARBONTUBE_ADDRESS"
  static let usual = "tcp://127.0.0.1:5050"
  /// For the help of options.
  static let helpOfDefault = "Default: \(variable), else the current context's, else \(usual)."

  /// As the environment or the current context names it; nil where neither does. An empty variable is an unset one, as
  /// everywhere.
  /// - Throws: where it is no address, or the contexts cannot be read.
  static func named(
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CommandFailure) -> String? {
    if let address = environment[variable], !address.isEmpty {
      if let problem = addressProblem(address, binding: false) {
        throw CommandFailure(.usage, "\(variable): \(problem)")
      }
      return address
    }
    guard let path = ContextFile.path(in: environment) else { return nil }
    let file = try ContextFile.read(path)
    // Who names a file means it to be there, and not that another coordinator is taken.
    if file == ContextFile(), environment[ContextFile.variable]?.isEmpty == false, access(path, F_OK) != 0 {
      throw CommandFailure(
        .noInput, "\(ContextFile.variable): \(path) is not there; carbontube context add NAME ADDRESS makes it")
    }
    return try file.current.map { name throws(CommandFailure) in try file.address(of: name, in: path) }
  }

  /// The one that is called so.
  static func ofContext(_ name: String) throws(CommandFailure) -> String {
    let path = try ContextCommand.path()
    return try ContextFile.read(path).address(of: name, in: path)
  }

  /// - Parameters:
  ///   - given: on the command line; it goes before the environment, whatever that says.
  ///   - context: the same by its name.
  static func resolved(_ given: String?, context: String? = nil) throws(CommandFailure) -> String {
    if let given { return given }
    if let context { return try ofContext(context) }
    return try named() ?? usual
  }
}
