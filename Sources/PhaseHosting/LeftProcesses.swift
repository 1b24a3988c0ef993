import CHostProcess
import Glibc
import HostProtocol

/// What a job has started ends with the job. What `init` and `create` have started is kept, and what that has started.
///
/// Descendants that lose their parent become children of this process (`host_divide`), so looking at children is enough.
struct LeftProcesses {
  /// Making a process takes the kernel longer than this, and so shorter jobs are spared the question.
  static let shortestJobNanoseconds: UInt64 = 20_000
  private static let patienceNanoseconds: UInt64 = 2_000_000_000
  private static let mostChildren = 1_024

  private var kept: Set<pid_t>
  /// Had ended by themselves when the last job was over: the plugin gets time to wait for them.
  private var ended: Set<pid_t> = []

  /// Keeps what there is now.
  init() { kept = Self.descendants() }

  /// A job is about to begin: what was there before it is none of its. Costs nothing where `init` and `create` started
  /// nothing.
  mutating func begin() {
    if !kept.isEmpty { kept = Self.descendants() }
  }

  /// Kills what the job has left behind.
  /// - Returns: how many processes had to be killed.
  mutating func end(afterNanoseconds nanoseconds: UInt64) -> Int {
    guard nanoseconds >= Self.shortestJobNanoseconds, host_has_children() != 0 else { return 0 }
    let begun = monotonicNanoseconds()
    var killed = 0
    while monotonicNanoseconds() - begun < Self.patienceNanoseconds {
      let strays = strays()
      if strays.isEmpty { break }
      for stray in strays { kill(stray, SIGKILL) }
      for stray in strays { reap(stray, since: begun) }
      killed += strays.count
    }
    return killed
  }

  /// Those that run. Those that had ended before the last job was over are waited for on the way.
  private mutating func strays() -> [pid_t] {
    var strays: [pid_t] = []
    var endedNow: Set<pid_t> = []
    for child in Self.children(of: getpid()) where !kept.contains(child) {
      guard Self.hasEnded(child) else {
        strays.append(child)
        continue
      }
      if ended.contains(child) { waitpid(child, nil, WNOHANG) } else { endedNow.insert(child) }
    }
    ended = endedNow
    return strays
  }

  private func reap(_ process: pid_t, since begun: UInt64) {
    while waitpid(process, nil, WNOHANG) == 0, monotonicNanoseconds() - begun < Self.patienceNanoseconds {
      usleep(500)
    }
  }

  private static func hasEnded(_ process: pid_t) -> Bool {
    var information = siginfo_t()
    return waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo != 0
  }

  private static func children(of process: pid_t) -> [pid_t] {
    var found = [pid_t](repeating: 0, count: mostChildren)
    let count = host_children(process, &found, Int32(mostChildren))
    return Array(found.prefix(max(0, Int(count))))
  }

  /// Orphans become children of this process, so whoever is below a process that is kept may be a child later.
  private static func descendants() -> Set<pid_t> {
    var all: Set<pid_t> = []
    var next = children(of: getpid())
    while let process = next.popLast(), all.count < mostChildren {
      if all.insert(process).inserted { next += children(of: process) }
    }
    return all
  }
}
