internal import Hummingbird

/// The addresses that the system's first version, in Python, answered at; monitoring that reads them goes on.
struct OlderRoutes {
  let directory: CoordinatorDirectory

  var routes: [Route] { looks + [jobs] }

  private var looks: [Route] {
    [
      .get("/api/pipelines") { _ in
        Response(
          json: .array(
            pipelines.map { name, shown in
              .object([
                "name": .string(name), "paused": shown["paused"],
                "phases": .array(phases(shown).map { $0["job_type"] }),
              ])
            }))
      },
      .get("/api/queues") { _ in
        Response(
          json: .array(
            pipelines.flatMap { name, shown in
              phases(shown).map { phase in
                var queue: [String: JSONDocument] = ["pipeline": .string(name)]
                for member in ["job_type", "waiting", "delayed", "running", "dead"] { queue[member] = phase[member] }
                return .object(queue)
              }
            }))
      },
      .get("/api/workers/available") { _ in
        Response(
          json: .array(
            pipelines.flatMap { _, shown in
              shown["workers"].members.sorted { $0.key < $1.key }.map(\.value).filter {
                $0["state"] == .string("serving") && $0["in_flight"].integer ?? 0 < $0["concurrency"].integer ?? 0
              }
            }))
      },
    ]
  }

  private var jobs: Route {
    .get("/api/jobs", .filter + ["limit"]) { call in
      var arguments = try call.query.filter
      arguments["limit"] = .integer(Int64(try call.query.integer("limit", in: 1...200) ?? 50))
      var jobs: [JSONDocument] = []
      for (name, _) in pipelines {
        for var job in try await directory.link(named: name).ask("jobs", .object(arguments)).0["jobs"].elements {
          job["pipeline"] = .string(name)
          jobs.append(job)
        }
      }
      return Response(json: .array(jobs))
    }
  }

  private var pipelines: [(String, JSONDocument)] {
    directory.document["pipelines"].members.sorted { $0.key < $1.key }.filter { $0.value["pipeline"] != .null }
      .map { ($0.key, $0.value) }
  }

  private func phases(_ shown: JSONDocument) -> [JSONDocument] {
    shown["phases"].members.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map(\.value)
  }
}
