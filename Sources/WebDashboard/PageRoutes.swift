internal import CWebPage
internal import Hummingbird
internal import NIOCore

/// The page's files, out of the program itself.
struct PageRoutes {
  var routes: [Route] {
    (0..<web_file_count()).map { index in
      let file = web_files()[index]
      let bytes = ByteBuffer(bytes: UnsafeBufferPointer(start: file.bytes, count: file.count))
      let type = String(cString: file.content_type)
      return .get(String(cString: file.path)) { _ in
        Response(
          status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
          body: ResponseBody(byteBuffer: bytes))
      }
    }
  }
}
