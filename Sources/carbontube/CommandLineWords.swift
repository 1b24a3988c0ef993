internal import Glibc

/// What was typed, before it is parsed.
enum CommandLineWords {
  /// - Returns: the words behind the program's name.
  /// - Throws: where one is not UTF-8, where no command is called like the first, or where the words cannot be known.
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
    if let first = words.first, let problem = problem(with: first) { throw problem }
    return words
  }

  private static func problem(with word: String) -> CommandFailure? {
    let known = CarbontubeProgram.configuration.groupedSubcommands.flatMap { group in
      group.subcommands.compactMap { $0.configuration.commandName }
    }
    guard !word.hasPrefix("-"), word != "help", !known.contains(word) else { return nil }
    let nearest = known.map { (name: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, word.count / 3) else {
      return CommandFailure(.usage, "no command '\(excerpt(word))'; 'carbontube --help' lists them")
    }
    return CommandFailure(.usage, "no command '\(excerpt(word))'; did you mean '\(nearest.name)'?")
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
