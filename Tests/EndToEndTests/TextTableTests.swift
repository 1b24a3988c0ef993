import PipelineModel
import Testing

@testable import CarbonTubeCommand

@Suite("Tables, and what a terminal makes of them")
struct TextTableTests {
  private func lines(_ columns: Int?, _ rows: [[String]], colour: Bool = false) -> [String] {
    var table = TextTable([.name("JOB"), .state("STATE"), .figure("N", spare: 1), .words("ERROR")])
    for row in rows { table.add(row) }
    return table.takeLines(OutputStyle(columns: columns, hasColour: colour, now: nil))
  }

  private let rows = [
    ["job-1", "dead", "1234", String(repeating: "long ", count: 30)], ["job-2", "waiting", "5", ""],
  ]

  @Test func `A file gets everything, and no blanks behind the last word`() {
    let whole = lines(nil, rows)
    #expect(whole[0] == "JOB    STATE    N     ERROR")
    #expect(whole[1] == "job-1  dead     1234  " + String(repeating: "long ", count: 30))
    #expect(whole[2] == "job-2  waiting  5")
  }

  @Test(arguments: 1...120)
  func `No line is wider than the terminal`(columns: Int) {
    let wide = rows + [["日本語の仕事", "dead", "6", "日本語のとても長い説明です👩‍👩‍👧‍👦 e\u{301}"]]
    for line in lines(columns, wide) { #expect(TerminalWidth.of(line) <= columns, "\(line)") }
  }

  @Test func `Words give way first, then spare columns, then names; figures are never cut`() {
    #expect(lines(45, rows)[1] == "job-1  dead     1234  long long long long lo…")
    #expect(lines(28, rows)[0] == "JOB    STATE    ERROR")
    #expect(lines(28, rows)[1] == "job-1  dead     long long l…")
    #expect(
      lines(45, [["a-name-that-is-much-longer-than-all-the-rest", "dead", "1", "x"]])[1].hasSuffix("…  dead   x"))
    for columns in 23...60 {
      let line = lines(columns, rows)[1]
      #expect(line.contains("1234") || !line.contains("12"), "\(line)")
    }
  }

  @Test func `Later pages keep the columns and have no titles`() {
    var table = TextTable([.name("A"), .words("B")])
    #expect(table.takeLines(.plain) == ["A  B"])
    table.add(["long-one", "x"])
    #expect(table.takeLines(.plain) == ["long-one  x"])
    table.add(["s", "y"])
    #expect(table.takeLines(.plain) == ["s         y"])
  }

  @Test func `A colour is around its word alone, and words from outside bring none`() {
    let coloured = lines(80, [["a\u{1B}[2J", "dead", "1", "\u{1B}[31m"]], colour: true)
    #expect(coloured[1].contains("  \u{1B}[31mdead\u{1B}[0m  "), "\(coloured)")
    #expect(coloured[1].count { $0 == "\u{1B}" } == 2, "\(coloured)")
    #expect(!coloured[0].contains("\u{1B}"))
  }

  @Test func `Colours are off by NO_COLOR, TERM=dumb and no TERM`() {
    #expect(OutputStyle.allowsColour(["TERM": "xterm"]))
    #expect(OutputStyle.allowsColour(["TERM": "xterm", "NO_COLOR": ""]))
    for environment in [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"], [:]] {
      #expect(!OutputStyle.allowsColour(environment), "\(environment)")
    }
  }

  @Test func `Prose is broken between words, and nothing of it is lost`() {
    let style = OutputStyle(columns: 20, hasColour: false, now: nil)
    let folded = style.folded("no workers; start one with: carbontube phase LIB JOB_TYPE")
    #expect(folded == ["no workers; start", "  one with:", "  carbontube phase", "  LIB JOB_TYPE"])
    #expect(style.folded("short") == ["short"] && style.folded("") == [""])
    #expect(OutputStyle.plain.folded(String(repeating: "a b ", count: 99)).count == 1)
  }

  @Test func `Ages are told in the unit that fits`() {
    let now = Timestamp(milliseconds: 1_900_000_000_000)
    let cases: [(Int64, String)] = [
      (0, "now"), (999, "now"), (1_000, "1 s ago"), (59_999, "59 s ago"), (180_000, "3 min ago"),
      (3_600_000, "1 h ago"), (86_399_999, "23 h ago"), (172_800_000, "2 d ago"), (-240_000, "in 4 min"),
      (30 * 86_400_000, "2030-02-15"),
    ]
    for (age, text) in cases { #expect(RelativeTime.text(of: now + -age, seenFrom: now) == text) }
    #expect(RelativeTime.text(of: Timestamp(milliseconds: .min), seenFrom: now).isEmpty == false)
    #expect(OutputStyle.plain.text(now) == "2030-03-17T17:46:40Z")
  }

  @Test func `A path keeps its end`() {
    #expect(TerminalWidth.cut("/opt/plugins/libExample.so", to: 14, keepsEnd: true) == "…libExample.so")
    #expect(TerminalWidth.cut("abc", to: 3) == "abc" && TerminalWidth.cut("abcd", to: 3) == "ab…")
    #expect(TerminalWidth.cut("日本", to: 3) == "日…" && TerminalWidth.cut("abc", to: 0) == "")
  }
}
