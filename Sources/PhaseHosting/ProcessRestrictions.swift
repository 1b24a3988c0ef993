import CHostProcess
import Glibc
import HostProtocol

/// Leaves a guard between the parent and this process (host_process.h). To be called while there is one thread.
func divideProcess() throws(HostSetupError) {
  guard host_divide(HostDescriptor.control, HostExitCode.channelBroken) == 0 else {
    throw HostSetupError("cannot start a plugin's process: \(String(cString: strerror(errno)))")
  }
}

/// Everything that must hold before a plugin's first instruction runs: its constructors run inside `dlopen`.
/// - Throws: a clause that names the limit that could not be set.
func restrictProcess(_ arguments: HostArguments) throws(HostSetupError) {
  guard host_forbid_new_privileges() == 0 else { throw HostSetupError("cannot give up new privileges") }
  // A core of a crashed plugin would fill disks at the rate of its retries, unless somebody is after that crash.
  let coreBytes = arguments.coreFiles ?? 0 == 0 ? 0 : UInt.max
  try limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), to: coreBytes, named: "core size")
  if let files = arguments.openFiles {
    try checkOpenFiles(files)
    try limit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), to: files, named: "open files")
  }
  if let seconds = arguments.cpuSeconds {
    try limit(__rlimit_resource_t(RLIMIT_CPU.rawValue), to: seconds, named: "CPU seconds")
  }
  // Last, since nothing may fail for lack of memory without a word.
  if let bytes = arguments.memoryBytes {
    try checkMemory(bytes)
    try limit(__rlimit_resource_t(RLIMIT_AS.rawValue), to: bytes, named: "memory")
  }
}

/// Room for the channels, the standard streams and what the loader opens.
private let fewestOpenFiles: UInt = 16

private func checkOpenFiles(_ files: UInt) throws(HostSetupError) {
  guard files >= fewestOpenFiles else {
    throw HostSetupError(
      "cannot be run with a limit of \(files) open files; its process needs \(fewestOpenFiles) or more")
  }
}

/// What the stacks of this program's threads and the first allocations of a plugin take.
private let smallestRoom: UInt = 24 << 20

private func checkMemory(_ bytes: UInt) throws(HostSetupError) {
  let needed = addressSpaceInUse() + smallestRoom
  guard bytes >= needed else {
    throw HostSetupError(
      "cannot be run with a memory limit of \(bytes) bytes; its process needs \(needed) of address space "
        + "before the plugin takes any")
  }
}

/// 0 where /proc does not tell.
private func addressSpaceInUse() -> UInt {
  guard let file = fopen("/proc/self/statm", "re") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
  return strtoul(line, nil, 10) * UInt(sysconf(Int32(_SC_PAGESIZE)))
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
