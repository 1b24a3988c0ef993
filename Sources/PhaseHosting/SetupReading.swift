import Glibc
import HostProtocol

/// Reads the first frame of the job channel, and nothing behind it, and puts its variables into the environment: before a
/// plugin is loaded, while this process has no thread that might read the environment.
/// - Returns: nothing but the defaults for a scan, which is sent none.
func receiveSetup(for role: HostRole) throws(HostRefusalError) -> HostSetup {
  guard role != .scan else { return HostSetup() }
  let setup: HostSetup
  do {
    setup = try readSetup()
  } catch {
    throw HostRefusalError(.hostMisuse, "cannot read what it is given: \(error)")
  }
  for (name, value) in setup.environment where environmentNameProblem(name) == nil { setenv(name, value, 1) }
  return setup
}

private func readSetup() throws(FrameError) -> HostSetup {
  var frames = FrameBuffer(limit: HostSetup.maximumBytes * 2)
  // The length that begins each frame.
  let head = try readExactly(4)
  let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
  guard length <= HostSetup.maximumBytes * 2 else { throw FrameError("a setup of \(length) bytes") }
  let body = try readExactly(length)
  head.withUnsafeBytes { frames.append($0) }
  body.withUnsafeBytes { frames.append($0) }
  guard let frame = try frames.next(), case .setup(let setup) = try HostRequest(frame: frame) else {
    throw FrameError("another frame stands where the setup should")
  }
  return setup
}

private func readExactly(_ count: Int) throws(FrameError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  var done = 0
  while done < count {
    let read = bytes.withUnsafeMutableBytes { buffer in
      recv(HostDescriptor.jobs, buffer.baseAddress.map { $0 + done }, count - done, 0)
    }
    guard read > 0 || (read < 0 && errno == EINTR) else { throw FrameError("the parent has gone away") }
    done += max(0, read)
  }
  return bytes
}
