internal import ArgumentParser
internal import Glibc
internal import PipelineModel

/// What was typed, before it is parsed.
enum CommandLineWords {
  /// - Returns: the words behind the program's name, as the parser understands them.
  /// - Throws: where one is not UTF-8, names no command, or is an option given again that can be given once; and where the
  ///   words cannot be known.
  static func checked() throws(CommandFailure) -> [String] {
    // Swift reads them from there, and finds none where it is missing.
    guard access("/proc/self/cmdline", R_OK) == 0 else {
      throw CommandFailure(.configuration, "/proc is not mounted here; mount it: mount -t proc proc /proc")
    }
    var words: [String] = []
    for position in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = CommandLine.unsafeArgv[position] else { break }
      guard let word = String(validatingCString: bytes) else {
        throw CommandFailure(.usage, "word \(position) of the command line is not UTF-8: '\(String(cString: bytes))'")
      }
      words.append(word)
    }
    let command = try command(named: words)
    return try CommandGrammar.checked(words, of: command)
  }

  /// The parser's words about what was typed, which has it as it was typed, made safe for a terminal.
  static func shown(_ text: String) -> String {
    var text = text
    let typed = CommandLine.arguments.dropFirst()
    for word in typed + typed.compactMap({ $0.split(separator: "=", maxSplits: 1).last.map(String.init) }) {
      let shown = word.escapingControlCharacters
      if shown != word { text = text.replacing(word, with: shown) }
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map(\.escapingControlCharacters).joined(separator: "\n")
  }

  // MARK: Commands

  /// - Throws: where a word stands in the place of a command and none is called like it.
  private static func command(named words: [String]) throws(CommandFailure) -> any ParsableCommand.Type {
    var command: any ParsableCommand.Type = CarbontubeProgram.self
    for word in words.first == "help" ? words.dropFirst() : words[...] {
      let known = command.configuration.allSubcommands
      guard !known.isEmpty, !word.hasPrefix("-") else { break }
      guard let next = known.first(where: { $0.configuration.commandName == word }) else {
        throw unknown(word, of: command)
      }
      command = next
    }
    return command
  }

  private static func unknown(_ word: String, of command: any ParsableCommand.Type) -> CommandFailure {
    let name = command == CarbontubeProgram.self ? "" : "\(command.configuration.commandName ?? "") "
    let known = command.configuration.allSubcommands.compactMap { $0.configuration.commandName }
    let nearest = known.map { (name: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, min(word.count, 12) / 3) else {
      return CommandFailure(.usage, "no command '\(name)\(excerpt(word))'; 'carbontube \(name)--help' lists them")
    }
    return CommandFailure(.usage, "no command '\(name)\(excerpt(word))'; did you mean '\(name)\(nearest.name)'?")
  }

  /// Insertions, deletions, substitutions and swaps of neighbours that make one word of the other
  /// (F. Damerau, CACM 7(3), 1964; "optimal string alignment").
  static func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.prefix(64)), Array(right))
    var rows = [Array(0...right.count)]
    for row in 0..<left.count {
      var next = [row + 1]
      for column in 0..<right.count {
        let cost = left[row] == right[column] ? 0 : 1
        var best = min(rows[row][column + 1] + 1, next[column] + 1, rows[row][column] + cost)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          best = min(best, rows[row - 1][column - 1] + 1)
        }
        next.append(best)
      }
      rows.append(next)
    }
    return rows[left.count][right.count]
  }
}

extension CommandConfiguration {
  fileprivate var allSubcommands: [any ParsableCommand.Type] {
    ungroupedSubcommands + groupedSubcommands.flatMap { $0.subcommands }
  }
}
