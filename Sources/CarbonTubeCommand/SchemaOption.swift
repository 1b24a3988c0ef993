internal import ArgumentParser
internal import CarbonTube
internal import HostProtocol

/// Whether instructions are checked against what their first phase says it takes.
struct SchemaOption: ParsableArguments {
  @Flag(help: "Take instructions whatever the input schema of the phase that gets them first.") var noSchemaCheck =
    false

  /// - Parameters:
  ///   - phases: of the plugin at hand; what other plugins' phases take is not known.
  ///   - warn: is told, once, of a schema that cannot be checked.
  func schema(
    of jobType: String?, in phases: [PhaseDescription], warn: (String) -> Void
  ) -> InstructionsSchema? {
    guard !noSchemaCheck, let phase = phases.first(where: { $0.jobType == jobType }) else { return nil }
    do throws(SettingsError) {
      return try InstructionsSchema(phase)
    } catch {
      warn("instructions are not checked against the input schema of \(phase.jobType): it \(error)")
      return nil
    }
  }
}
