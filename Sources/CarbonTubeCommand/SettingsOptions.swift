internal import ArgumentParser
internal import CarbonTube
internal import Glibc
internal import HostSupervision
internal import PhaseSettings

/// What phases are given besides their jobs.
struct SettingsOptions: ParsableArguments {
  @OptionGroup var environment: EnvironmentOptions

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      """
      A setting of the phase, e.g. database.port=5432: JSON, else a text; of one phase alone with JOB_TYPE: before it. \
      Whoever may list processes sees it; --settings and --env-file are better for secrets. Repeatable.
      """, valueName: "key=value"))
  var sets: [String] = []

  @Option(
    name: .customLong("settings"),
    help: ArgumentHelp(
      "A JSON object of settings; of one phase alone with JOB_TYPE: before it. --set wins. Repeatable.",
      valueName: "file"), completion: .file())
  var files: [String] = []

  @Option(
    help: ArgumentHelp(
      "Each child gets a folder of its own in this one for scratch files, emptied after each job.", valueName: "dir"),
    completion: .directory)
  var workDir: String?

  @Flag(
    help: """
      A crash leaves a core file where kernel.core_pattern says, with all that the phase was given in it \
      (docs/debugging.md).
      """)
  var coreFiles = false

  func validate() throws {
    try requireText(workDir, of: "--work-dir")
    for word in sets { _ = try Assignment(word) }
  }

  struct Given {
    var variables: [String: String] = [:]
    var settings = PhaseSettings()
    var secrets = SecretValues()
    var workDirectory: String?
    var writesCoreFiles = false

    func apply(to settings: inout PhaseServerSettings) {
      settings.environment = variables
      settings.phaseSettings = self.settings
      settings.secrets = secrets
      settings.workDirectory = workDirectory
      settings.limits.writesCoreFiles = writesCoreFiles
    }
  }

  func given() throws(CommandFailure) -> Given {
    let environment = try self.environment.given()
    var given = Given(variables: environment.variables)
    var secrets = environment.secrets
    for word in files {
      let (jobType, path) = Self.divided(word)
      let bytes = try PrivateFile.read(path, option: "--settings", allows: .othersMayRead)
      do throws(SettingsError) {
        let value = try SettingsValue(parsing: bytes)
        try given.settings.add(value, to: jobType)
        secrets += value.texts
      } catch {
        throw CommandFailure(.data, "--settings \(path) \(error)")
      }
    }
    for word in sets {
      do {
        let assignment = try Assignment(word)
        try given.settings.set(assignment.path, to: assignment.value, of: assignment.jobType)
      } catch {
        throw CommandFailure(.usage, "--set \(error)")
      }
    }
    given.secrets = SecretValues(secrets)
    given.workDirectory = try workDir.map { path throws(CommandFailure) in try Self.folder(path) }
    if coreFiles { try Self.requireRoomForCoreFiles() }
    given.writesCoreFiles = coreFiles
    return given
  }

  private static func requireRoomForCoreFiles() throws(CommandFailure) {
    var allowed = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &allowed) == 0, allowed.rlim_max > 0 else {
      throw CommandFailure(
        .configuration,
        "--core-files: the hard limit of core files is 0; raise it (ulimit -Hc unlimited, LimitCORE=infinity in a unit)"
      )
    }
  }

  /// Absolute; made where it is not there.
  private static func folder(_ path: String) throws(CommandFailure) -> String {
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw CommandFailure(.configuration, "--work-dir \(path) cannot be made: \(String(cString: strerror(errno)))")
    }
    guard let absolute = realpath(path, nil) else {
      throw CommandFailure(.configuration, "--work-dir \(path): \(String(cString: strerror(errno)))")
    }
    defer { free(absolute) }
    var found = stat()
    guard stat(absolute, &found) == 0, found.st_mode & S_IFMT == S_IFDIR, access(absolute, W_OK | X_OK) == 0 else {
      throw CommandFailure(.configuration, "--work-dir \(path) is no folder that this user may write to")
    }
    return String(cString: absolute)
  }

  /// `JOB_TYPE:rest`; a path may hold a colon too, but no job type holds a slash.
  private static func divided(_ word: String) -> (jobType: String?, rest: String) {
    let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, isRoleName(parts[0]) else { return (nil, word) }
    return (parts[0], parts[1])
  }

  private struct Assignment {
    var jobType: String?
    var path: String
    var value: SettingsValue

    init(_ word: String) throws {
      guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
        throw ValidationError("--set '\(excerpt(word))' is not key=value")
      }
      (jobType, path) = SettingsOptions.divided(String(word[..<equals]))
      let text = String(word[word.index(after: equals)...])
      value = (try? SettingsValue(parsing: Array(text.utf8))) ?? .string(text)
    }
  }
}
