internal import ArgumentParser
internal import Logging

struct LogOptions: ParsableArguments {
  @Option(
    help: "Least level of log lines on stderr: trace, debug, info, notice, warning, error, critical.",
    completion: .logLevel, transform: LogOptions.level)
  var logLevel = Logger.Level.info

  @Option(help: "How log lines on stderr are written: text, or json with one object a line.")
  var logFormat = LogFormat.text

  @Option(
    help: ArgumentHelp(
      "Append log lines to this file rather than to stderr. SIGHUP then has it opened anew, and stops nothing.",
      valueName: "file"), completion: .file())
  var logFile: String?

  /// For a command that shows by itself how each job ended, so that the log need not.
  static let quiet = Logger.Level.error

  static func level(_ word: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: word) else {
      throw ValidationError("unknown log level '\(word)'")
    }
    return level
  }

  /// For a server; from now on all that it writes to stderr has the form that was chosen.
  func logger(_ label: String) throws(CommandFailure) -> Logger {
    logFormat.choose()
    if let logFile, LogFile.descriptor == nil { try LogFile.choose(logFile) }
    return Self.logger(label, level: logLevel)
  }

  static func logger(_ label: String, level: Logger.Level) -> Logger {
    var logger = Logger(label: label) { LineLogHandler(label: $0) }
    logger.logLevel = level
    return logger
  }
}
