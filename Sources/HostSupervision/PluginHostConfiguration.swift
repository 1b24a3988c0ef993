import Glibc
import HostProtocol

/// What is loaded into a child, and how the child is bounded.
public struct PluginHostConfiguration: Hashable, Sendable {
  public enum Role: Hashable, Sendable {
    /// Runs jobs of one `job_type`.
    case phase(jobType: String)
    /// Calls the hooks of one pipeline.
    case pipeline(name: String)
    /// Describes the file and ends.
    case scan
  }

  /// Limits of the kernel on the child. Nil leaves what this process has.
  public struct Limits: Hashable, Sendable {
    /// Address space, not resident memory; allocations fail beyond it.
    public var memoryBytes: UInt?
    public var openFiles: UInt?
    /// Over the child's whole life; SIGXCPU at its end.
    public var cpuSeconds: UInt?
    /// A crash leaves a core file, as large as this process' hard limit allows and where the kernel's `core_pattern` says.
    /// What the phase was given is in it, secrets included.
    public var writesCoreFiles: Bool

    public init(
      memoryBytes: UInt? = nil, openFiles: UInt? = nil, cpuSeconds: UInt? = nil, writesCoreFiles: Bool = false
    ) {
      self.memoryBytes = memoryBytes
      self.openFiles = openFiles
      self.cpuSeconds = cpuSeconds
      self.writesCoreFiles = writesCoreFiles
    }
  }

  /// Names that reach the child by default. None of them changes what code is loaded.
  public static let defaultEnvironmentNames: Set<String> = [
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "SWIFT_BACKTRACE",
  ]

  /// What Swift's runtime writes to stderr about a crash: the thread that crashed, without pages of registers and files.
  /// Of a recursion without end the calls next to the crash; those it began with are this program's.
  static let defaultTrace = "threads=crashed,registers=none,images=none,color=no,limit=40,top=0"

  /// The program `carbontube-plugin-host`.
  public var executable: String
  /// The plugin, absolute. Give the staged copy, never a file that somebody may overwrite while it is mapped.
  public var library: String
  public var role: Role
  public var limits: Limits
  /// Variables of this process that the child inherits, those that are set. `LD_*` never is.
  public var environmentNames: Set<String>
  /// Further variables of the plugin; win over inherited ones. They reach it by the channel, so that no list of processes
  /// shows them. Those with a name that `environmentNameProblem` refuses are passed over.
  public var environment: [String: String]
  /// A JSON object for the phase's instance. Reaches it by the channel as well.
  public var settings: [UInt8]
  /// What must not show in anything that the child says but results.
  public var secrets: SecretValues
  /// An existing folder below which the child gets one of its own for scratch files, told to the phase as `work_dir`,
  /// emptied after each job and removed with the child. Nil: none.
  public var workDirectory: String?

  public init(
    executable: String = PluginHostConfiguration.defaultExecutable(), library: String, role: Role,
    limits: Limits = Limits(), environmentNames: Set<String> = PluginHostConfiguration.defaultEnvironmentNames,
    environment: [String: String] = [:], settings: [UInt8] = Array("{}".utf8),
    secrets: SecretValues = SecretValues(), workDirectory: String? = nil
  ) {
    self.executable = executable
    self.library = library
    self.role = role
    self.limits = limits
    self.environmentNames = environmentNames
    self.environment = environment
    self.settings = settings
    self.secrets = secrets
    self.workDirectory = workDirectory
  }

  /// CARBONTUBE_PLUGIN_HOST where it is set; otherwise `carbontube-plugin-host` beside the running program, in PATH, or
  /// beside the `carbontube` in PATH. Whether it works shows when it is spawned.
  public static func defaultExecutable() -> String { HostProgramSearch.path() }

  /// The child's command line; PhaseHosting reads it.
  /// - Parameter workFolder: the child's own.
  func arguments(workFolder: String?) -> [String] {
    var words = [executable]
    switch role {
    case .scan: words += ["--scan", library]
    case .phase(let jobType): words += ["--phase", library, jobType]
    case .pipeline(let name): words += ["--pipeline", library, name]
    }
    if let bytes = limits.memoryBytes { words += ["--memory", String(bytes)] }
    if let files = limits.openFiles { words += ["--open-files", String(files)] }
    if let seconds = limits.cpuSeconds { words += ["--cpu-seconds", String(seconds)] }
    if limits.writesCoreFiles { words += ["--core-files", "1"] }
    if let workFolder { words += ["--work-directory", workFolder] }
    return words
  }

  /// What it is told first of all; nil for a scan.
  var setup: HostSetup? {
    role == .scan ? nil : HostSetup(environment: environment, settings: settings)
  }

  /// The environment that the child is started with, as `NAME=value`.
  var environmentWords: [String] {
    var variables: [String: String] = [:]
    for name in environmentNames {
      if let value = getenv(name) { variables[name] = String(cString: value) }
    }
    // Whoever asks for more in the trace of a crash gets it. What lies in memory where registers point may be a secret.
    let trace = [
      HostProgramSearch.tracer(beside: executable).map { "swift-backtrace=\($0)" },
      variables["SWIFT_BACKTRACE"] ?? Self.defaultTrace, secrets.isEmpty ? nil : "registers=none",
    ]
    variables["SWIFT_BACKTRACE"] = trace.compactMap { $0 }.joined(separator: ",")
    return variables.filter { !$0.key.hasPrefix("LD_") }.map { "\($0.key)=\($0.value)" }
  }
}
