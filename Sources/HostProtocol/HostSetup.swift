/// What a child is given before its plugin is loaded. By way of the channel, because a command line and the environment
/// that a process was started with can be read by whoever may list processes.
public struct HostSetup: Hashable, Sendable {
  /// The most bytes of names, values and settings together.
  public static let maximumBytes = 1 << 20
  static let maximumVariables = 10_000

  /// Set in the child beside what it inherits, over what has the same name.
  public var environment: [String: String]
  /// A JSON object, for the phase's instance.
  public var settings: [UInt8]

  public init(environment: [String: String] = [:], settings: [UInt8] = Array("{}".utf8)) {
    self.environment = environment
    self.settings = settings
  }

  /// Of all names, values and settings.
  public var byteCount: Int {
    environment.reduce(settings.count) { $0 + $1.key.utf8.count + $1.value.utf8.count }
  }
}

/// Why no variable of the environment of a plugin's process may have this name; nil where one may.
public func environmentNameProblem(_ name: String) -> String? {
  guard !name.isEmpty else { return "a variable has no name" }
  guard !name.utf8.contains(where: { $0 == 0x3d || $0 < 0x21 || $0 == 0x7f }) else {
    return "a variable's name holds no '=', no spaces and no control characters"
  }
  if name.hasPrefix("LD_") { return "\(name) is refused: LD_* decides what code the program that loads plugins runs" }
  if name.hasPrefix("CARBONTUBE_") { return "\(name) is refused: CARBONTUBE_* is CarbonTube's own" }
  return nil
}
