internal import FoundationEssentials
internal import Glibc

/// How a command ends that could not do what it was asked; numbers from sysexits.h (4.0BSD).
enum ExitStatus: Int32 {
  /// Some jobs did not succeed, or the coordinator refused.
  case refused = 1
  /// EX_USAGE: the command line is wrong.
  case usage = 64
  /// EX_DATAERR: a file or instructions are there but cannot be used.
  case data = 65
  /// EX_NOINPUT: a file is not there.
  case noInput = 66
  /// EX_UNAVAILABLE: an address is taken, or nobody answers; the same command may work later.
  case unavailable = 69
  /// EX_IOERR: what was asked was done, but its answer could not be written.
  case output = 74
  /// EX_NOPERM: this user may not, or a file is open to more people than it should be.
  case denied = 77
  /// EX_CONFIG: storage or a pipeline's definition is wrong.
  case configuration = 78
  /// 128 + SIGINT, as shells report it.
  case interrupted = 130
}

/// One line for the person at the terminal: names the thing, what is wrong and what to do.
struct CommandFailure: Error {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}

/// The system's words for a failed file operation, without Foundation's wrapping.
func reason(of error: any Error) -> String {
  guard let underlying = (error as? CocoaError)?.underlying as? POSIXError else { return "\(error)" }
  return String(cString: strerror(underlying.code.rawValue))
}
