/// What a child wrote last, as people read it. Of the trace of a crash the plugin's frames count, which come first; the frames
/// of the program that called the plugin say nothing about it.
struct CrashTrace {
  /// The file that was loaded, without its folder.
  let library: String
  private static let host = HostProgramSearch.name
  private static let begin = "*** Program crashed:"

  /// The text in at most `capacity` bytes: the trace loses its end, and what was printed before it loses its beginning.
  func fitted(_ text: String, capacity: Int = OutputTail.capacity) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.lastIndex(where: { $0.hasPrefix(Self.begin) }) else { return end(of: lines, capacity) }
    withoutCallers(&lines, from: start)
    let whole = lines.joined(separator: "\n")
    guard whole.utf8.count > capacity else { return whole }
    let trace = beginning(of: lines[start...], capacity * 3 / 4)
    let before = end(of: lines[..<start] + [""], capacity - trace.utf8.count)
    return before + trace
  }

  /// One line for all frames behind the plugin's last one, where this program's are among them.
  private func withoutCallers(_ lines: inout [Substring], from start: Int) {
    guard let last = lines[start...].lastIndex(where: { Self.isFrame($0, of: library) }) else { return }
    let callers = lines[(last + 1)...].prefix { Self.isFrame($0) || $0 == "..." }
    guard callers.contains(where: { Self.isFrame($0, of: Self.host) }) else { return }
    lines.replaceSubrange(callers.startIndex..<callers.endIndex, with: ["     called by \(Self.host)"])
  }

  private func beginning(of lines: ArraySlice<Substring>, _ capacity: Int) -> String {
    let mark = "...\n"
    var kept = ""
    for line in lines {
      guard kept.utf8.count + line.utf8.count + 1 + mark.utf8.count <= capacity else { return kept + mark }
      kept += line + "\n"
    }
    return kept
  }

  private func end(of lines: some Sequence<Substring>, _ capacity: Int) -> String {
    var tail = OutputTail(capacity: capacity)
    tail.append(Array(lines.joined(separator: "\n").utf8))
    return tail.text
  }

  /// ` 12 [ra] 0x00007f4591149114 run + 4 in libGreet.so at /home/ada/greet.c:44:31`
  private static func isFrame(_ line: Substring) -> Bool {
    line.drop { $0 == " " }.first?.isWholeNumber == true && line.contains(" 0x") && line.contains(" in ")
  }

  private static func isFrame(_ line: Substring, of object: String) -> Bool {
    isFrame(line) && (line.hasSuffix(" in \(object)") || line.contains(" in \(object) at "))
  }
}
