import CarbonTube
import Testing

@testable import CarbonTubeCommand

@Suite("What status shows")
struct StatusTests {
  private func status(running: Int, inFlight: Int) throws -> StatusDocument {
    let json = """
      {"pipeline":"p","coordinator":"c","uptime_ms":1000,"paused":false,"succeeded":0,"cancelled":0,
      "store":{"address":"memory:","state":"open"},
      "phases":[{"job_type":"a","waiting":0,"delayed":0,"running":\(running),"dead":0,"workers":1,"slots":2,
      "paused":false}],
      "workers":[{"id":"w","host":"h","pid":1,"job_type":"a","concurrency":2,"in_flight":\(inFlight),"succeeded":0,
      "failed":0,"state":"serving","plugin":"abc","heartbeat_age_ms":3}]}
      """
    return try JSONText.decode(StatusDocument.self, from: Array(json.utf8))
  }

  private func lines(of table: TextTable) -> [String] {
    var table = table
    return table.takeLines(.plain)
  }

  @Test func `Jobs that run are told from those that wait at a worker`() throws {
    let ahead = try status(running: 34, inFlight: 33)
    #expect(ahead.hasJobsAhead)
    #expect(lines(of: ahead.phaseTable)[1].contains(" 2 +32 "), "\(lines(of: ahead.phaseTable))")
    #expect(lines(of: ahead.workerTable)[1].contains(" 2/2 +31 "), "\(lines(of: ahead.workerTable))")
    let level = try status(running: 1, inFlight: 1)
    #expect(!level.hasJobsAhead)
    #expect(lines(of: level.workerTable)[1].contains(" 1/2 "), "\(lines(of: level.workerTable))")
  }
}
