internal import PhaseSettings
internal import PluginCatalog

/// Which build serves which job type, out of what lies in the plugin folders. A pure decision.
struct ServingPlan {
  /// A file with the content that it had.
  struct Build: Hashable {
    var file: String
    var staged: StagedPlugin
  }

  private let settings: PhaseSettings
  private(set) var builds: [String: Build] = [:]
  /// Job types that are here and do not take the settings.
  private var refused: Set<String> = []
  /// One line for each thing that an administrator would want to know.
  private(set) var remarks: [String] = []

  /// - Parameters:
  ///   - descriptions: in the order in which files win where several have the same job type.
  ///   - jobTypes: what to serve; nil: all there is.
  ///   - settings: what the phases are given; one that does not take them is not served.
  ///   - serving: what is served now.
  init(
    _ descriptions: [PluginDescription], jobTypes: Set<String>?, settings: PhaseSettings = PhaseSettings(),
    serving: [String: Build]
  ) {
    self.settings = settings
    for description in descriptions {
      if let problem = description.problem, !description.state.isQuarantined {
        keepFormer(of: description.file, because: problem, serving)
      }
    }
    // A file that is served already stays in charge of its job types, wherever another one's name sorts.
    let usable = descriptions.filter { $0.state == .ok || $0.state.isQuarantined }
    let inCharge = usable.filter { description in serving.values.contains { $0.file == description.file } }
    for description in inCharge { take(description, only: jobTypes) { serving[$0]?.file == description.file } }
    for description in usable { take(description, only: jobTypes) { _ in true } }
    if jobTypes == nil, builds.isEmpty, refused.isEmpty {
      remarks.append("no plugin with a phase is here yet; one is served as soon as it is put here")
    }
    for jobType in (jobTypes ?? []).sorted() where builds[jobType] == nil && !refused.contains(jobType) {
      remarks.append("no plugin here has the phase '\(jobType)'; it is served as soon as one is put here")
    }
  }

  /// A file that is being overwritten, or was replaced by a bad one, does not end the service of the build before it.
  private mutating func keepFormer(of file: String, because problem: String, _ serving: [String: Build]) {
    let former = serving.filter { $0.value.file == file }
    for (jobType, build) in former { builds[jobType] = build }
    remarks.append(former.isEmpty ? problem : "\(problem); going on with the build before it")
  }

  private mutating func take(_ description: PluginDescription, only: Set<String>?, where fits: (String) -> Bool) {
    let staged = StagedPlugin(path: description.stagedPath, sha256: description.sha256)
    for phase in description.phases where only?.contains(phase.jobType) ?? true && fits(phase.jobType) {
      guard let taken = builds[phase.jobType] else {
        if let problem = settingsProblem(settings, for: phase) {
          refused.insert(phase.jobType)
          remarks.append("\(description.file): \(problem)")
          continue
        }
        builds[phase.jobType] = Build(file: description.file, staged: staged)
        continue
      }
      if taken.file != description.file {
        remarks.append("\(description.file) has the phase '\(phase.jobType)' as well; \(taken.file) serves it")
      }
    }
  }
}
