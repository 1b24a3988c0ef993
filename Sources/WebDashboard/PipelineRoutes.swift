internal import Hummingbird
internal import PipelineModel
internal import PluginCatalog

/// Pipelines, their workers and the plugins of this machine: looking and acting.
struct PipelineRoutes {
  let directory: CoordinatorDirectory
  let settings: WebServerSettings
  let policy: AccessPolicy

  var routes: [Route] { looks + lookingAtOne + health + actions }

  private static let base = "/api/v1/pipelines/:pipeline"

  private var looks: [Route] {
    [
      .get("/api/v1/session") { _ in
        let mayChange = !policy.isReadOnly && (policy.isLoopback || policy.token != nil)
        return Response(json: .object(["may_change": .bool(mayChange), "needs_token": .bool(policy.token != nil)]))
      },
      .get("/api/v1/pipelines") { _ in Response(json: directory.document["pipelines"]) },
      .get("/api/v1/plugins") { _ in Response(json: directory.document["plugins"]) },
    ]
  }

  private var lookingAtOne: [Route] {
    [
      .get(Self.base) { call in
        let name = try call.part("pipeline")
        try await directory.refresh(directory.link(named: name))
        return Response(json: directory.document["pipelines"][name])
      },
      .get("\(Self.base)/metrics", ["minutes", "step"]) { call in
        let minutes = try call.query.integer("minutes", in: 1...10_080) ?? 60
        let step = try call.query.integer("step", in: 1...1_440) ?? 1
        guard step <= minutes else {
          throw Problem(
            .badRequest, "'step' is \(step), and 'minutes' \(minutes): a step cannot be longer than the whole")
        }
        let arguments: JSONDocument = .object(["minutes": .integer(Int64(minutes)), "step": .integer(Int64(step))])
        return Response(json: try await directory.link(for: call).ask("history", arguments).0)
      },
      .get("\(Self.base)/logs", ["job", "phase", "level", "after", "limit"]) { call in try await logs(call) },
    ]
  }

  /// What the coordinator keeps in memory of what phases log and of what fails.
  private func logs(_ call: Call) async throws -> Response {
    var arguments: [String: JSONDocument] = [
      "limit": .integer(Int64(try call.query.integer("limit", in: 1...1_000) ?? 200))
    ]
    if let after = try call.query.integer("after", in: 0...Int.max) { arguments["after"] = .integer(Int64(after)) }
    for (name, argument) in [("job", "id"), ("phase", "phase"), ("level", "level")] {
      if let text = call.query[name] { arguments[argument] = .string(text) }
    }
    return Response(json: try await directory.link(for: call).ask("logs", .object(arguments)).0)
  }

  private var health: [Route] {
    [
      .get("/healthz") { _ in Response(text: "ok\n") },
      .get("/readyz") { _ in readiness() },
      .get("/metrics") { _ in
        Response(
          text: await PrometheusPage(directory: directory).text(), type: "text/plain; version=0.0.4; charset=utf-8")
      },
    ]
  }

  /// Ready: every coordinator answers, and its store is open.
  private func readiness() -> Response {
    let pipelines = directory.document["pipelines"].members
    let problems = pipelines.compactMap { name, shown -> String? in
      guard shown["state"] == .string("connected") else {
        return "\(name): \(shown["problem"].string ?? "not reached yet")"
      }
      return shown["store"]["state"] == .string("open") ? nil : "\(name): its store is not open"
    }
    return problems.isEmpty
      ? Response(text: "ready\n") : Problem(.serviceUnavailable, problems.sorted().joined(separator: "; ")).response
  }

  private var actions: [Route] {
    ["pause", "resume"].map { verb in
      .post("\(Self.base)/\(verb)", ["phase"]) { call in
        let arguments = call.query["phase"].map { ["phase": JSONDocument.string($0)] } ?? [:]
        return Response(json: try await directory.link(for: call).ask(verb, .object(arguments)).0)
      }
    } + [
      .post("\(Self.base)/workers/:worker/drain") { call in
        let worker = JSONDocument.string(try call.part("worker"))
        return Response(json: try await directory.link(for: call).ask("drain", .object(["worker": worker])).0)
      },
      .post("/api/v1/plugins/:sha256/release") { call in try await release(call) },
    ]
  }

  private func release(_ call: Call) async throws -> Response {
    let hash = try call.part("sha256")
    let folder = settings.stateFolder
    let isHash = hash.utf8.count == 64 && hash.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    let now = Timestamp.now().milliseconds
    guard isHash, await onThread({ !Quarantine(stateFolder: folder).release(hash, now: now).isEmpty }) else {
      throw Problem(.notFound, "no build '\(hash.shownInAnswers)' is in quarantine")
    }
    return Response(json: .object(["released": .string(hash)]))
  }
}
