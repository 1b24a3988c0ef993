internal import Hummingbird
internal import NIOCore

/// What changes, told by server-sent events: the whole document first, then JSON Merge Patches (RFC 7396), four a second
/// at most. A reader that is slow gets fewer and larger ones.
struct EventRoutes {
  let directory: CoordinatorDirectory
  let largestCount: Int

  var routes: [Route] {
    [
      .get("/api/v1/events") { [directory, largestCount] call in
        guard directory.lookers < largestCount else {
          throw Problem(.serviceUnavailable, "\(largestCount) streams of events are open; try again later")
        }
        let client = call.client
        return Response(
          status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
          body: ResponseBody { writer in
            try await directory.whileLooked { try await Self.tell(directory, client, to: &writer) }
            try await writer.finish(nil)
          })
      }
    ]
  }

  private static func tell(
    _ directory: CoordinatorDirectory, _ client: ConnectionBook.Client?, to writer: inout any ResponseBodyWriter
  ) async throws {
    var version = directory.version
    var told = directory.document
    var isSilentFor = 0
    // The first line tells the browser how soon to come back after a break.
    try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
    try await writer.write(event("snapshot", version, told))
    while client?.hasLeft != true {
      try await Task.sleep(for: .milliseconds(250))
      let present = directory.version
      isSilentFor += 1
      if present != version {
        let document = directory.document
        version = present
        if let patch = told.mergePatch(to: document) {
          try await writer.write(event("patch", version, patch))
          isSilentFor = 0
        }
        told = document
      } else if isSilentFor >= 20 {
        // An event of its own rather than a comment, which a page would not see.
        try await writer.write(ByteBuffer(string: "event: alive\ndata: {}\n\n"))
        isSilentFor = 0
      }
    }
  }

  private static func event(_ name: String, _ version: Int, _ document: JSONDocument) -> ByteBuffer {
    var buffer = ByteBuffer(string: "event: \(name)\nid: \(version)\ndata: ")
    buffer.writeBytes(document.json)
    buffer.writeString("\n\n")
    return buffer
  }
}
