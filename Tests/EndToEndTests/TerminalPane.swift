import Foundation
import PluginTestKit

/// A real terminal of a given size, which is tmux's, with a shell in it.
final class TerminalPane {
  let folder: TemporaryFolder
  private let socket: String
  /// In the foreground: a daemon would keep what Foundation waits on for the end of the process that started it.
  private let server: Program
  private var runs = 0

  /// - Parameter environment: of the shell, beside that of the tests.
  init(columns: Int, rows: Int = 120, environment: [String: String] = [:]) throws {
    folder = try TemporaryFolder()
    socket = "\(folder.path)/tmux"
    // No file of the user's settings, and UTF-8 whatever the locale is.
    server = try Program(
      "/usr/bin/tmux", ["-D", "-u", "-f", "/dev/null", "-S", socket], in: folder.path, environment: Self.variables)
    try awaitServer()
    let own = ["LC_ALL": "C.UTF-8", "PS1": "$ ", "HISTFILE": "", "PATH": "\(buildFolder):/usr/bin:/bin"]
    let variables = own.merging(environment) { _, given in given }.map { "\($0.key)=\($0.value)" }
    try tmux(
      ["new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "env"] + variables
        + ["bash", "--norc", "--noprofile", "-i"])
    try waitFor("a prompt") { $0.contains { $0.hasPrefix("$") } }
  }

  deinit {
    // The threads of the tests have blocked the signals that it heeds. The shell and what runs in it end with their terminal.
    try? server.killAndWait()
  }

  private static let variables = ["TMUX": "", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"]

  private func awaitServer() throws {
    let deadline = Date() + 60
    while access(socket, F_OK) != 0 {
      guard Date() < deadline, server.process.isRunning else { throw Unexpected("no tmux: \(server.complaints)") }
      poll(nil, 0, 10)
    }
  }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let end = try Program(
      "/usr/bin/tmux", ["-u", "-S", socket] + arguments, in: folder.path, environment: Self.variables
    ).end(withinSeconds: 20)
    guard end.status == 0 else { throw Unexpected("tmux \(arguments): \(end.complaint)") }
    return end.output
  }

  /// Types a line; returns at once.
  func type(_ line: String) throws {
    try tmux(["send-keys", "-l", line])
    try press("Enter")
  }

  /// A key by tmux's name, e.g. `C-c`.
  func press(_ key: String) throws { try tmux(["send-keys", key]) }

  /// Runs a command on an empty screen to its end.
  /// - Returns: the lines that it shows, and whether any of them did not fit the terminal.
  func run(_ command: String) throws -> (lines: [String], hasWrapped: Bool) {
    runs += 1
    let mark = "run \(runs) ended with "
    try folder.write(Array("clear\n\(command)\necho \"\(mark)$?\"\n".utf8), to: "run.sh")
    try type(". ./run.sh")
    let shown = try waitFor("the end of \(command)") { $0.contains { $0.hasPrefix(mark) } }
    let end = shown.firstIndex { $0.hasPrefix(mark) } ?? shown.endIndex
    // Joined, a line that was wrapped is one again.
    let joined = Self.lines(try tmux(["capture-pane", "-p", "-J"]))
    return (Array(shown[..<end]), joined != Self.lines(try tmux(["capture-pane", "-p"])))
  }

  /// Asks until the screen fits.
  @discardableResult
  func waitFor(_ what: String, _ fits: ([String]) -> Bool) throws -> [String] {
    let deadline = Date() + 60
    while true {
      let lines = Self.lines(try tmux(["capture-pane", "-p"]))
      if fits(lines) { return lines }
      guard Date() < deadline else { throw Unexpected("not in time: \(what);\n\(lines.joined(separator: "\n"))") }
      // Leaves the machine to those who work.
      poll(nil, 0, 20)
    }
  }

  func resize(columns: Int) throws { try tmux(["resize-window", "-x", "\(columns)"]) }

  /// What stands there, with its colours.
  func colouredText() throws -> String { try tmux(["capture-pane", "-p", "-e"]) }

  /// Of tmux's formats, e.g. `alternate_on`.
  func value(_ name: String) throws -> String {
    try tmux(["display-message", "-p", "#{\(name)}"]).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
