import Glibc
import HostProtocol

/// How a child ended.
public struct HostExit: Hashable, Sendable, CustomStringConvertible {
  public enum Cause: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
  }

  public let cause: Cause
  /// `kill()` was called before it ended: the signal is ours and blames no plugin.
  public let wasKilled: Bool
  /// `requestStop()` was called before it ended: an end with code 0 is then in order.
  public let wasAskedToStop: Bool
  /// How its plugin broke the channel to this process, where it did; the cause is then only what followed from it.
  public let channelFault: String?
  /// The program had said that it is the host program of this build.
  public let hadBegun: Bool

  public init(
    cause: Cause, wasKilled: Bool = false, wasAskedToStop: Bool = false, channelFault: String? = nil,
    hadBegun: Bool = true
  ) {
    self.cause = cause
    self.hadBegun = hadBegun
    self.wasKilled = wasKilled
    self.wasAskedToStop = wasAskedToStop
    self.channelFault = channelFault
  }

  init(waitStatus: Int32, wasKilled: Bool, wasAskedToStop: Bool, channelFault: String?, hadBegun: Bool) {
    self.hadBegun = hadBegun
    let signal = waitStatus & 0x7f
    cause = signal == 0 ? .code((waitStatus >> 8) & 0xff) : .signal(signal)
    self.wasKilled = wasKilled
    self.wasAskedToStop = wasAskedToStop
    let hasClosed = cause == .code(HostExitCode.channelBroken) && !wasKilled
    self.channelFault = channelFault ?? (hasClosed ? "it closed descriptor 3 or 4, or used it itself" : nil)
  }

  /// The plugin's own doing, as far as one can tell: not a signal that people, the kernel or this program send to end a
  /// process that did nothing wrong.
  public var blamesPlugin: Bool {
    guard hadBegun else { return false }
    guard channelFault == nil else { return true }
    return switch cause {
    case .code: !wasAskedToStop
    case .signal(let signal): !wasKilled && ![SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(signal)
    }
  }

  public var signal: Int32? {
    if case .signal(let signal) = cause { signal } else { nil }
  }

  public var code: Int32? {
    if case .code(let code) = cause { code } else { nil }
  }

  /// A short class for `JobError.type`: `SIGILL`, `Exit` for an end by code, or `BrokenChannel`.
  public var type: String {
    guard channelFault == nil else { return "BrokenChannel" }
    return switch cause {
    case .signal(let signal): HostExit.name(ofSignal: signal)
    case .code: "Exit"
    }
  }

  /// The cause in words, for a child that ended although it had work.
  public var explanation: String {
    guard hadBegun else {
      return "the program that loads plugins ended before it loaded anything (\(channelFault ?? causeInWords)); "
        + "is it the carbontube-plugin-host of this carbontube?"
    }
    if let channelFault { return "the plugin broke the channel to its worker: \(channelFault)" }
    return causeInWords
  }

  private var causeInWords: String {
    switch cause {
    case .code(let code): return "exited with code \(code) without a result"
    case .signal(let signal):
      let name = HostExit.name(ofSignal: signal)
      return HostExit.meaning(ofSignal: signal, wasKilled: wasKilled).map { "\(name): \($0)" } ?? name
    }
  }

  public var description: String { explanation }

  /// `SIGILL` for 4; `signal 64` for those without a name.
  public static func name(ofSignal signal: Int32) -> String {
    switch signal {
    case SIGHUP: "SIGHUP"
    case SIGINT: "SIGINT"
    case SIGQUIT: "SIGQUIT"
    case SIGILL: "SIGILL"
    case SIGTRAP: "SIGTRAP"
    case SIGABRT: "SIGABRT"
    case SIGBUS: "SIGBUS"
    case SIGFPE: "SIGFPE"
    case SIGKILL: "SIGKILL"
    case SIGSEGV: "SIGSEGV"
    case SIGPIPE: "SIGPIPE"
    case SIGALRM: "SIGALRM"
    case SIGTERM: "SIGTERM"
    case SIGXCPU: "SIGXCPU"
    case SIGXFSZ: "SIGXFSZ"
    case SIGSYS: "SIGSYS"
    default: "signal \(signal)"
    }
  }

  private static func meaning(ofSignal signal: Int32, wasKilled: Bool) -> String? {
    switch signal {
    case SIGILL, SIGTRAP: "Swift trap (fatalError, precondition, overflow)"
    case SIGABRT: "abort(), an uncaught C++ exception, or a Rust panic that left a C function"
    case SIGSEGV: "bad memory access or stack overflow"
    case SIGBUS: "bad memory access, or its file was cut short while in use"
    case SIGFPE: "arithmetic trap"
    case SIGKILL: wasKilled ? "killed by its worker" : "killed from outside, perhaps for lack of memory"
    case SIGXCPU: "used up its CPU seconds"
    case SIGXFSZ: "wrote a file beyond the size limit"
    default: nil
    }
  }
}
