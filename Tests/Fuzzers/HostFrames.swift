import HostProtocol

extension FuzzTarget {
  /// Frames between a process and its PluginHost child, where a plugin may have gone wild. The first byte says in what
  /// pieces the stream arrives; what follows is read as such a stream, and as one body.
  static let hostFrames = FuzzTarget(name: "host-frames", seeds: hostSeeds) { bytes in
    guard let first = bytes.first else { return }
    let stream = bytes.dropFirst()
    readBody(Array(stream))
    var buffer = FrameBuffer(limit: 1 << 20)
    var rest = stream
    while !rest.isEmpty {
      let piece = Array(rest.prefix(Int(first) + 1))
      rest = rest.dropFirst(piece.count)
      piece.withUnsafeBytes { buffer.append($0) }
      do throws(FrameError) {
        while let body = try buffer.next() { readBody(Array(body)) }
      } catch {
        return
      }
    }
  }
}

private func readBody(_ body: [UInt8]) {
  expectRoundTrip(body, decode: { try HostRequest(frame: $0[...]) }) { Array($0.encoded().dropFirst(4)) }
  expectRoundTrip(body, decode: { try HostControl(frame: $0[...]) }) { Array($0.encoded().dropFirst(4)) }
  expectRoundTrip(body, decode: { try HostReport(frame: $0[...]) }) { Array($0.encoded().dropFirst(4)) }
}

private func hostSeeds() -> [[UInt8]] {
  let job = HostJob(token: 1, jobID: "job-1", pipeline: "p", attempt: 1, instructions: Array("{}".utf8))
  let hooks: [HostHook] = [
    .initialize, .started, .finished,
    .finishedJob(jobID: "job-1", pipeline: "p", state: "dead", instructions: Array("{}".utf8)),
  ]
  let frames =
    [HostRequest.job(job).encoded()]
    + hooks.map { HostRequest.hook(HostHookCall(token: 2, hook: $0)).encoded() }
    + [HostControl.cancel(token: 3).encoded(), HostControl.stop.encoded()]
    + reports().map { $0.encoded() }
  // Each as a body, and all as one stream in pieces of 4 bytes.
  return frames.map { [0xff] + $0.dropFirst(4) } + [[3] + frames.joined()]
}

private func reports() -> [HostReport] {
  let phase = PhaseDescription(
    jobType: "a", version: "1", summary: "s", inputSchema: "{}", outputSchema: nil, isDeterministic: true)
  let pipeline = PipelineDescription(name: "p", version: "1", summary: "s", definition: "{}", hasHooks: true)
  let library = LibraryDescription(
    abiMajor: 1, abiMinor: 0, id: "x", version: "1", summary: "s", build: "b", phases: [phase], pipelines: [pipeline])
  let error = HostError(message: "m", type: "T", location: "f:1", code: -1)
  return [
    .ready(library),
    .refused(HostRefusal(kind: .unknownJobType, message: "has no phase", available: ["a", "b"])),
    .log(token: 1, level: .info, message: "hello", fields: [HostLogField(name: "a", value: "b")]),
    .measured(token: 1, [HostMeasure(kind: .counter, name: "a", value: 1)]),
    .progress(token: 1, fraction: 0.25, note: "n"),
    .finished(token: 1, HostResult(status: .ok, output: Array("{\"a\":1}".utf8)), nanoseconds: 5),
    .finished(token: 1, HostResult(status: .retry, error: error, retryAfterMilliseconds: 9), nanoseconds: 5),
    .setting(token: 1, name: "storage", value: "memory:"),
    .hookFinished(token: 1, HostResult(status: .unsupported, error: error)),
  ]
}
