internal import CWebPage
internal import Hummingbird
internal import NIOCore

/// The page's files, out of the program itself.
struct PageRoutes {
  func add(to router: Router<BasicRequestContext>) {
    for index in 0..<web_file_count() {
      let file = web_files()[index]
      let bytes = ByteBuffer(bytes: UnsafeBufferPointer(start: file.bytes, count: file.count))
      let type = String(cString: file.content_type)
      router.get(RouterPath(String(cString: file.path))) { _, _ in
        Response(
          status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
          body: ResponseBody(byteBuffer: bytes))
      }
    }
  }
}
