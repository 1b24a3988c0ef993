internal import ArgumentParser
internal import FoundationEssentials

/// The options of one command, as the parser describes them. It takes the last of several where one is meant, and takes a
/// negative number for an option; both are seen to before.
struct CommandGrammar: Decodable {
  private struct Option: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String
    }

    var kind: String
    var isRepeating: Bool
    var names: [Name]?

    /// As it is typed.
    var spellings: [String] { (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name } }
  }

  private struct Command: Decodable {
    var arguments: [Option]?
  }

  private var command: Command

  /// - Returns: the words, with each negative number joined to its option.
  /// - Throws: where an option with one value is given again, or one is empty.
  static func checked(
    _ words: [String], of command: any ParsableCommand.Type
  ) throws(CommandFailure) -> [String] {
    guard words.contains(where: { $0.hasPrefix("-") }) else { return words }
    // The description is the parser's own; without it the words are taken as they are.
    guard let grammar = try? JSONDecoder().decode(Self.self, from: Data(command._dumpHelp().utf8)) else { return words }
    return try grammar.checked(words)
  }

  private func checked(_ words: [String]) throws(CommandFailure) -> [String] {
    var found: [String] = []
    var counts: [String: Int] = [:]
    let end = words.firstIndex(of: "--") ?? words.endIndex
    var rest = words[..<end]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let option = option(spelled: String(parts[0])) else {
        found.append(word)
        continue
      }
      if !option.isRepeating { counts[option.spellings[0], default: 0] += 1 }
      // An unset variable of a script makes an empty word, and nothing named must not mean anything.
      guard (parts.count == 1 ? rest.first : String(parts[1])) != "" else {
        throw CommandFailure(.usage, "\(parts[0]) is empty; name something, or leave it out")
      }
      guard parts.count == 1, let value = rest.first, Self.isNegativeNumber(value) else {
        found.append(word)
        continue
      }
      found.append("\(word)=\(value)")
      rest.removeFirst()
    }
    if let again = counts.filter({ $0.value > 1 }).min(by: { $0.key < $1.key }) {
      throw CommandFailure(.usage, "\(again.key) is given \(again.value) times; give it once")
    }
    return found + words[end...]
  }

  private func option(spelled word: String) -> Option? {
    guard word.hasPrefix("-") else { return nil }
    return command.arguments?.first { $0.kind == "option" && $0.spellings.contains(word) }
  }

  private static func isNegativeNumber(_ word: String) -> Bool {
    word.utf8.first == 0x2d && word.utf8.dropFirst().first.map { (0x30...0x39).contains($0) || $0 == 0x2e } == true
  }
}
