import Foundation
import PluginTestKit

/// A real terminal of a given size, which is tmux's, with a shell in it.
final class TerminalPane {
  private let folder: TemporaryFolder
  private let socket: String

  /// - Parameter environment: of the shell, beside that of the tests.
  init(columns: Int, rows: Int = 60, environment: [String: String] = [:]) throws {
    folder = try TemporaryFolder()
    socket = "\(folder.path)/tmux"
    let own = ["LC_ALL": "C.UTF-8", "PS1": "$ ", "HISTFILE": "", "PATH": "\(buildFolder):/usr/bin:/bin"]
    let variables = own.merging(environment) { _, given in given }.map { "\($0.key)=\($0.value)" }
    _ = try tmux(
      ["new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "env"] + variables
        + ["bash", "--norc", "--noprofile", "-i"])
    try waitFor("a prompt") { $0.contains { $0.hasPrefix("$") } }
  }

  deinit { _ = try? tmux(["kill-server"]) }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    // No file of the user's settings, and UTF-8 whatever the locale is.
    let end = try Program(
      "/usr/bin/tmux", ["-u", "-f", "/dev/null", "-S", socket] + arguments, in: folder.path,
      environment: ["TMUX": "", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"]
    ).end()
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
    let script = try folder.write(Array("clear\n\(command)\necho \"ended $?\"\n".utf8), to: "run.sh")
    try type(". \(script)")
    let shown = try waitFor("the end of \(command)") { $0.contains { $0.hasPrefix("ended ") } }
    let end = shown.firstIndex { $0.hasPrefix("ended ") } ?? shown.endIndex
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
