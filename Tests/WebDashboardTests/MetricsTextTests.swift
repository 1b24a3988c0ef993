import Testing

@testable import WebDashboard

@Suite struct MetricsTextTests {
  @Test func `Families stay together, and labels are escaped`() {
    var page = MetricsText()
    page.add("a", .gauge, "First.", [("x", "1")], 1)
    page.add("b_total", .counter, "Second.", [], 2.5)
    page.add("a", .gauge, "First.", [("x", "\"\\\n")], 2)
    let expected = #"""
      # HELP a First.
      # TYPE a gauge
      a{x="1"} 1
      a{x="\"\\\n"} 2
      # HELP b_total Second.
      # TYPE b_total counter
      b_total{} 2.5

      """#
    #expect(page.text == expected)
  }

  @Test func `What phases count and measure is in a family of its own for each kind`() throws {
    let totals = try JSONDocument(
      parsing: Array(
        #"""
        {"measures": [{"phase": "a", "name": "files", "kind": "counter", "value": 3.5},
          {"phase": "a", "name": "depth", "kind": "gauge", "value": -2, "lowest": -2, "highest": 7},
          {"phase": "b\"", "name": "files", "kind": "counter", "value": 1}, {"phase": "b"}]}
        """#.utf8))
    var page = MetricsText()
    PrometheusPage.addMeasures(totals, [("pipeline", "p")], to: &page)
    let lines = page.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines == [
        #"carbontube_phase_counted_total{pipeline="p",phase="a",name="files"} 3.5"#,
        #"carbontube_phase_counted_total{pipeline="p",phase="b\"",name="files"} 1"#,
        #"carbontube_phase_measured{pipeline="p",phase="a",name="depth"} -2"#,
      ])
  }

  @Test func `Buckets are cumulative and in seconds`() {
    var page = MetricsText()
    page.add("h", "Help.", [], counts: [1, 2, 3], boundsMicroseconds: [100, 1_000_000], sumMicroseconds: 2_500_000)
    let lines = page.text.split(separator: "\n").dropFirst(2)
    #expect(
      Array(lines) == [
        #"h_bucket{le="0.0001"} 1"#, #"h_bucket{le="1"} 3"#, #"h_bucket{le="+Inf"} 6"#, "h_sum{} 2.5", "h_count{} 6",
      ])
  }
}
