internal import PipelineAccess
internal import WireProtocol

/// Several jobs in one request's body: a JSON array of them, or one a line (NDJSON). Each is judged by itself.
struct BulkJobs {
  static let maximumJobs = 10_000

  private(set) var jobs: [PipelineClient.Job] = []
  /// Where in the body each of `jobs` stands, from 1.
  private var places: [Int] = []
  private var results: [JSONDocument] = []

  static func isBulk(_ body: [UInt8], contentType: String?) -> Bool {
    isLines(contentType) || body.first { !JSONMembers.isBlank($0) } == UInt8(ascii: "[")
  }

  private static func isLines(_ contentType: String?) -> Bool {
    contentType?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } == "application/x-ndjson"
  }

  /// - Parameters:
  ///   - idPrefix: of jobs without an id, before their place; nil: the coordinator makes one.
  ///   - priority: of those that say none; `delayMilliseconds` likewise.
  init(
    _ body: [UInt8], contentType: String?, idPrefix: String?, priority: Int, delayMilliseconds: Int64
  ) throws(Problem) {
    let texts = try Self.texts(of: body, contentType)
    guard texts.count <= Self.maximumJobs else {
      throw Problem(.contentTooLarge, "\(texts.count) jobs in one request; send at most \(Self.maximumJobs) at a time")
    }
    for (place, text) in texts {
      do throws(JobTextError) {
        var job = try PipelineClient.Job(json: Array(text), priority: priority, delayMilliseconds: delayMilliseconds)
        if job.id == nil, let idPrefix { job.id = "\(idPrefix)-\(place)" }
        jobs.append(job)
        places.append(place)
      } catch {
        results.append(Self.result(place, nil, "refused", "\(error)"))
      }
    }
  }

  /// Where nothing in it is a job at all, for whoever looks at the status of an answer alone.
  var problem: Problem? {
    guard jobs.isEmpty, let first = results.first else { return nil }
    let place = first["line"].integer ?? 0
    return Problem(.badRequest, "none of \(results.count) is a job; number \(place): \(first["message"].string ?? "")")
  }

  private static func texts(
    of body: [UInt8], _ contentType: String?
  ) throws(Problem) -> [(place: Int, text: ArraySlice<UInt8>)] {
    guard !isLines(contentType) else {
      let lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      return lines.enumerated().filter { !$0.element.allSatisfy(JSONMembers.isBlank) }.map {
        ($0.offset + 1, $0.element)
      }
    }
    guard let parsed = try? JSONDocument(parsing: body), case .array = parsed else {
      throw Problem(.badRequest, "the body begins as a JSON array of jobs and is none")
    }
    return JSONMembers.parts(of: body).enumerated().map { ($0.offset + 1, $0.element) }
  }

  private static func result(_ place: Int, _ id: String?, _ code: String, _ message: String) -> JSONDocument {
    var members: [String: JSONDocument] = ["line": .integer(Int64(place)), "result": .string(code)]
    if let id { members["id"] = .string(id) }
    if !message.isEmpty { members["message"] = .string(message) }
    return .object(members)
  }

  /// - Parameter answers: one for each of `jobs`.
  /// - Returns: what became of each, in the order of the body, and how many were stored, there already, and refused.
  func document(_ answers: [EnqueueAnswer]) -> JSONDocument {
    var all = results
    for (place, answer) in zip(places, answers) {
      let word = answer.code == .ok ? "stored" : answer.code == .duplicate ? "duplicate" : "refused"
      all.append(Self.result(place, answer.id, word, answer.message))
    }
    all.sort { ($0["line"].integer ?? 0) < ($1["line"].integer ?? 0) }
    func count(_ word: String) -> JSONDocument { .integer(Int64(all.count { $0["result"].string == word })) }
    return .object([
      "stored": count("stored"), "duplicates": count("duplicate"), "refused": count("refused"), "results": .array(all),
    ])
  }
}
