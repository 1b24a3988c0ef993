import CHostProcess
import Glibc

/// Everything that must hold before a plugin's first instruction runs: its constructors run inside `dlopen`.
/// - Throws: a clause that names the limit that could not be set.
func restrictProcess(_ arguments: HostArguments) throws(HostSetupError) {
  // Backstop only: the end of the control channel ends this process as well.
  guard host_die_with_parent(SIGKILL) == 0 else { throw HostSetupError("cannot tie its life to its parent's") }
  guard host_forbid_new_privileges() == 0 else { throw HostSetupError("cannot give up new privileges") }
  // A core of a crashed plugin would fill disks at the rate of its retries.
  try limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), to: 0, named: "core size")
  if let bytes = arguments.memoryBytes {
    try limit(__rlimit_resource_t(RLIMIT_AS.rawValue), to: bytes, named: "memory")
  }
  if let files = arguments.openFiles {
    try limit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), to: files, named: "open files")
  }
  if let seconds = arguments.cpuSeconds {
    try limit(__rlimit_resource_t(RLIMIT_CPU.rawValue), to: seconds, named: "CPU seconds")
  }
  try closeOnExec(HostDescriptor.jobs)
  try closeOnExec(HostDescriptor.control)
}

/// The child cannot do its work; the reason is a clause.
struct HostSetupError: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Where the parent puts the channels.
enum HostDescriptor {
  static let jobs: Int32 = 3
  static let control: Int32 = 4
}

private func limit(_ resource: __rlimit_resource_t, to value: UInt, named name: String) throws(HostSetupError) {
  var current = rlimit()
  guard getrlimit(resource, &current) == 0 else { throw HostSetupError("cannot read its limit of \(name)") }
  let allowed = min(rlim_t(value), current.rlim_max)
  // The hard limit of CPU time lies above the soft one, so that the signal is SIGXCPU, which names the cause.
  let isCPU = resource == __rlimit_resource_t(RLIMIT_CPU.rawValue)
  var wanted = rlimit(rlim_cur: allowed, rlim_max: isCPU ? min(allowed + 5, current.rlim_max) : allowed)
  guard setrlimit(resource, &wanted) == 0 else { throw HostSetupError("cannot limit \(name) to \(value)") }
}

private func closeOnExec(_ descriptor: Int32) throws(HostSetupError) {
  guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
    throw HostSetupError("has no descriptor \(descriptor): it is started by carbontube, not by hand")
  }
}
