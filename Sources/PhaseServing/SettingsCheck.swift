public import HostProtocol
public import PhaseSettings

/// What is wrong with the settings of a phase, by the schema that its plugin declares; nil where nothing is, or it declares
/// none. One line that names places, never values.
public func settingsProblem(_ settings: PhaseSettings, for phase: PhaseDescription) -> String? {
  guard let text = phase.settingsSchema else { return nil }
  do throws(SettingsError) {
    let problems = try SettingsSchema(parsing: text).problems(with: settings.value(for: phase.jobType))
    guard !problems.isEmpty else { return nil }
    return "the settings of \(phase.jobType) are not what it takes: \(problems.joined(separator: "; "))"
  } catch {
    return "the schema of the settings of \(phase.jobType) cannot be used: it \(error)"
  }
}
