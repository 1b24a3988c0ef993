internal import Hummingbird
internal import PluginCatalog

/// Pipelines, their workers and the plugins of this machine: looking and acting.
struct PipelineRoutes {
  let cluster: Cluster
  let settings: WebServerSettings
  let policy: AccessPolicy

  func add(to router: Router<BasicRequestContext>) {
    addLooks(to: router)
    addActions(to: router)
  }

  private func addLooks(to router: Router<BasicRequestContext>) {
    router.get("/api/v1/session") { _, _ in
      let mayChange = !policy.isReadOnly && (policy.isLoopback || policy.token != nil)
      return Response(json: .object(["may_change": .bool(mayChange), "needs_token": .bool(policy.token != nil)]))
    }
    router.get("/api/v1/pipelines") { _, _ in Response(json: cluster.document["pipelines"]) }
    router.get("/api/v1/plugins") { _, _ in Response(json: cluster.document["plugins"]) }
    router.get("/api/v1/pipelines/:pipeline") { _, context in
      let name = try context.part("pipeline")
      await cluster.refresh(try cluster.link(named: name))
      return Response(json: cluster.document["pipelines"][name])
    }
    router.get("/api/v1/pipelines/:pipeline/metrics") { request, context in
      let arguments: JSONValue = .object([
        "minutes": .integer(Int64(try request.integer("minutes", in: 1...10_080) ?? 60)),
        "step": .integer(Int64(try request.integer("step", in: 1...1_440) ?? 1)),
      ])
      return Response(json: try await cluster.link(named: context.part("pipeline")).ask("history", arguments).0)
    }
    router.get("/healthz") { _, _ in Response(text: "ok\n") }
    router.get("/readyz") { _, _ in readiness() }
    router.get("/metrics") { _, _ in
      Response(text: await PrometheusPage(cluster: cluster).text(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  /// Ready: every coordinator answers, and its store is open.
  private func readiness() -> Response {
    let pipelines = cluster.document["pipelines"].members
    let problems = pipelines.compactMap { name, shown -> String? in
      guard shown["state"] == .string("connected") else {
        return "\(name): \(shown["problem"].string ?? "not reached yet")"
      }
      return shown["store"]["state"] == .string("open") ? nil : "\(name): its store is not open"
    }
    return problems.isEmpty
      ? Response(text: "ready\n") : Problem(.serviceUnavailable, problems.sorted().joined(separator: "; ")).response
  }

  private func addActions(to router: Router<BasicRequestContext>) {
    for verb in ["pause", "resume"] {
      router.post("/api/v1/pipelines/:pipeline/\(verb)") { request, context in
        let arguments = request.parameter("phase").map { ["phase": JSONValue.string($0)] } ?? [:]
        return Response(json: try await cluster.link(named: context.part("pipeline")).ask(verb, .object(arguments)).0)
      }
    }
    router.post("/api/v1/pipelines/:pipeline/workers/:worker/drain") { _, context in
      let worker = try context.part("worker")
      let link = try cluster.link(named: context.part("pipeline"))
      return Response(json: try await link.ask("drain", .object(["worker": .string(worker)])).0)
    }
    router.post("/api/v1/plugins/:sha256/release") { _, context in
      let hash = try context.part("sha256")
      let folder = settings.stateFolder
      let isHash = hash.utf8.count == 64 && hash.allSatisfy { $0.isHexDigit && !$0.isUppercase }
      guard isHash, await onThread({ Quarantine(stateFolder: folder).release(hash) }) else {
        throw Problem(.notFound, "no build '\(hash)' is in quarantine")
      }
      return Response(json: .object(["released": .string(hash)]))
    }
  }
}
