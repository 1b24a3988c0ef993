public import HostProtocol
public import PhaseSettings

/// What is wrong with the settings of a phase, by the schema that its plugin declares; nil where nothing is, or it declares
/// none. One line that names places, never values.
public func settingsProblem(_ settings: PhaseSettings, for phase: PhaseDescription) -> String? {
  do throws(SettingsError) {
    let problems = try schema(of: phase)?.problems(with: settings.value(for: phase.jobType)) ?? []
    guard !problems.isEmpty else { return nil }
    return "the settings of \(phase.jobType) are not what it takes: \(problems.joined(separator: "; "))"
  } catch {
    return unusable(error, of: phase)
  }
}

/// What is wrong with the schema itself; nil where nothing is, or the phase declares none.
public func settingsSchemaProblem(of phase: PhaseDescription) -> String? {
  do throws(SettingsError) {
    _ = try schema(of: phase)
    return nil
  } catch {
    return unusable(error, of: phase)
  }
}

private func schema(of phase: PhaseDescription) throws(SettingsError) -> SettingsSchema? {
  guard let text = phase.settingsSchema else { return nil }
  return try SettingsSchema(parsing: text)
}

private func unusable(_ error: SettingsError, of phase: PhaseDescription) -> String {
  "the schema of the settings of \(phase.jobType) cannot be used: it \(error)"
}
