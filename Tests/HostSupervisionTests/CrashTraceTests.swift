import Testing

@testable import HostSupervision

@Suite struct CrashTraceTests {
  private let trace = CrashTrace(library: "libA.so")

  private func frame(_ number: Int, _ name: String, in object: String) -> String {
    "  \(number) [ra] 0x00007f409c8d7138 \(name) + 4 in \(object) at /src/a.c:7:3\n"
  }

  @Test func leavesOutWhoCalledThePlugin() {
    let text =
      "printed\n*** Program crashed: Aborted at 0x1 ***\n\nThread 2 crashed:\n\n" + frame(0, "work", in: "libA.so")
      + frame(1, "PhaseRunner.run", in: "carbontube-plugin-host") + frame(2, "map", in: "libswiftCore.so")
      + "...\n\nend\n"
    let fitted = trace.fitted(text)
    #expect(fitted.contains("work + 4 in libA.so") && fitted.hasPrefix("printed\n") && fitted.hasSuffix("end\n"))
    #expect(fitted.contains("called by carbontube-plugin-host"))
    #expect(!fitted.contains("PhaseRunner") && !fitted.contains("libswiftCore"))
  }

  @Test func aCrashOfTheHostItselfIsShown() {
    let text = "*** Program crashed: Aborted at 0x1 ***\n" + frame(0, "read", in: "carbontube-plugin-host")
    #expect(trace.fitted(text) == text)
  }

  @Test func keepsTheFirstFramesOfALongTrace() {
    let printed = (0..<2_000).map { "line \($0)\n" }.joined()
    let frames = (0..<40).map { frame($0, String(repeating: "n", count: 900) + "\($0)", in: "libA.so") }.joined()
    let fitted = trace.fitted(printed + "*** Program crashed: Aborted at 0x1 ***\n" + frames)
    #expect(fitted.utf8.count <= OutputTail.capacity && fitted.utf8.count > OutputTail.capacity / 2)
    #expect(fitted.contains("n0 + 4") && !fitted.contains("n39 + 4") && fitted.hasSuffix("...\n"))
    #expect(fitted.contains("line 1999\n*** Program crashed") && !fitted.contains("line 0\n"))
  }

  @Test func whatIsNoTraceKeepsItsEnd() {
    let fitted = trace.fitted(String(repeating: "a line of words\n", count: 4_000) + "last")
    #expect(fitted.utf8.count <= OutputTail.capacity && fitted.hasSuffix("\nlast"))
  }
}
