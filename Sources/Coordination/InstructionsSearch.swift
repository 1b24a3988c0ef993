internal import Glibc
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Looks for jobs whose instructions contain a text, in bites: whoever searches goes on with the page that comes next, so
/// that no search holds up others.
struct InstructionsSearch {
  /// What one bite goes through at most, and one job more.
  struct Bounds {
    var jobs = 2_000
    /// Of instructions, inflated.
    var bytes = 4 << 20
    /// Asked of the store.
    var pages = 64
  }

  struct Found {
    var page = JobPage(jobs: [], next: nil)
    var examined = 0
  }

  static let maximumTextBytes = 256
  private static let jobsPerPage = 100
  private static let bytesPerPage = 1 << 20

  let text: [UInt8]
  var bounds = Bounds()

  init(for text: String) { self.text = Array(text.utf8) }

  /// Fewer than `limit` may be found although there are more.
  func look(
    through reader: any JobReader, _ filter: JobFilter, after cursor: String?, limit: Int
  ) throws(StoreError) -> Found {
    var found = Found()
    found.page.next = cursor
    var bytes = 0
    for _ in 0..<bounds.pages
    where found.page.jobs.count < limit && found.examined < bounds.jobs && bytes < bounds.bytes {
      let page = try reader.jobs(
        matching: filter, after: found.page.next, limit: min(Self.jobsPerPage, limit - found.page.jobs.count),
        maximumBytes: Self.bytesPerPage)
      for job in page.jobs {
        let json = (try? CompressedJSON.json(in: job.instructions)) ?? []
        bytes += json.count
        if isIn(json) { found.page.jobs.append(job) }
      }
      found.examined += page.jobs.count
      found.page.next = page.next
      // Where the store found none it has looked at as many as it does at a time.
      if page.next == nil || page.jobs.isEmpty { break }
    }
    return found
  }

  /// Byte for byte: what is written with escapes there is found only by them.
  private func isIn(_ json: [UInt8]) -> Bool {
    json.withUnsafeBytes { json in
      text.withUnsafeBytes { text in
        guard let start = json.baseAddress, let wanted = text.baseAddress, let first = text.first else { return false }
        var place = 0
        while place + text.count <= json.count,
          let next = memchr(start + place, Int32(first), json.count - text.count - place + 1)
        {
          if memcmp(next, wanted, text.count) == 0 { return true }
          place = UnsafeRawPointer(next) - start + 1
        }
        return false
      }
    }
  }
}
