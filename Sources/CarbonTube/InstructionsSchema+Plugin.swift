public import HostProtocol
public import PhaseSettings

extension InstructionsSchema {
  /// What the phase takes by its own word.
  ///
  /// - Returns: nil where it says nothing.
  /// - Throws: why its schema cannot be checked.
  public init?(_ phase: PhaseDescription) throws(SettingsError) {
    guard let text = phase.inputSchema else { return nil }
    try self.init(parsing: text, of: phase.jobType)
  }
}
