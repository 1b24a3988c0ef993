public import HostSupervision
public import Logging
public import PhaseSettings
public import PipelineModel
internal import PluginCatalog

/// What a worker is told when it starts.
public struct PhaseServerSettings: Sendable {
  /// The plugin's file.
  public var library: String
  public var jobType: String
  /// Where the worker meets coordinators: their `eventsAddress`, or that of a forwarder. It serves all that it finds there.
  public var meetingAddresses = ["tcp://127.0.0.1:6000"]
  /// Coordinators that are connected to whatever is found; where there are any, no others are.
  public var coordinatorAddresses: [String] = []
  /// PluginHost children, each running one job at a time.
  public var concurrency = 1
  /// The hard limit on one attempt in milliseconds, besides the pipeline's own: the shorter one counts. Zero: none.
  public var timeoutMilliseconds: Int64 = 0
  /// How long `drain` lets running jobs go on before they are given back.
  public var drainMilliseconds: Int64 = 30_000
  /// How long a child may take from its start until it can run jobs; then it is killed and counts as one that failed.
  public var readinessMilliseconds: Int64 = 30_000
  public var limits = PluginHostConfiguration.Limits()
  /// Variables of the plugin's processes, beside the few that every one gets (`PluginHostConfiguration`). Nothing shows them.
  public var environment: [String: String] = [:]
  /// What the phase's instances are made with. Checked against the schema that the plugin declares before a child is
  /// started.
  public var phaseSettings = PhaseSettings()
  /// Values that are replaced by `***` in all that a plugin says but its results: in logs, errors, progress, the last lines of
  /// stderr.
  public var secrets = SecretValues()
  /// An existing folder, absolute, in which each child gets one of its own for scratch files. Nil: they get none.
  public var workDirectory: String?
  /// A build that crashes on this many jobs of the phase within ten minutes is put into quarantine: no worker of this user
  /// and machine runs the phase until the build is replaced or released. Nil: never, and no quarantine is heeded.
  public var quarantineAfter: Int? = 3
  /// The worker ends by itself after it has run this many jobs, whatever became of them. Nil: it does not.
  public var maximumJobs: Int?
  /// The worker ends by itself once it has had nothing to do for so long. Nil: it does not.
  public var idleExitMilliseconds: Int64?
  /// The worker ends by itself once nothing waits for it: a coordinator that knows it has given it nothing for 2 s. Jobs
  /// that are delayed, or run elsewhere, are not waited for.
  public var endsWhenEmpty = false
  /// Where copies of plugins and records of crashes are kept.
  public var stateFolder: String
  /// The program that loads plugins, in processes of its own. Found beside the running program or in PATH, or named by
  /// CARBONTUBE_PLUGIN_HOST; an embedding program may name it here.
  public var hostExecutable = PluginHostConfiguration.defaultExecutable()
  /// Nil: made from the host's name, the process and a random number.
  public var workerID: WorkerID?
  public var logger: Logger
  /// Tests move them.
  var clocks = Clocks.system

  public init(library: String, jobType: String, logger: Logger = Logger(label: "carbontube.phase")) {
    self.library = library
    self.jobType = jobType
    self.logger = logger
    stateFolder = StateFolder.path()
  }
}

/// Why a worker could not start or go on.
public struct PhaseServerError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The plugin's file is not there or not readable.
    case noInput
    /// The file is no plugin that can be used.
    case plugin
    /// The plugin has no phase of that name.
    case noSuchPhase
    /// The settings are not what the plugin's schema allows, or the schema cannot be used.
    case settings
    /// An address is malformed or taken.
    case address
  }

  public let kind: Kind
  /// One line for people.
  public let message: String
  public var description: String { message }

  public init(kind: Kind, message: String) {
    self.kind = kind
    self.message = message
  }
}
