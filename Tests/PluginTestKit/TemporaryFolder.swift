import Glibc

/// A folder for one test, removed with what is in it.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    var template = Array("/tmp/carbontube-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Unexpected("no temporary folder: \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    // A path of our own making, without characters that the shell knows.
    try? run("/bin/rm", "-rf", path)
  }

  /// - Returns: the path of the new file.
  @discardableResult
  public func write(_ content: some Collection<UInt8>, to name: String) throws -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    defer { close(descriptor) }
    let bytes = Array(content)
    guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw Unexpected("cannot write \(file): \(String(cString: strerror(errno)))")
    }
    return file
  }
}

/// All bytes of a file.
public func contents(of path: String) throws -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw Unexpected("cannot read \(path)") }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &block, block.count)
    guard count > 0 else { return bytes }
    bytes.append(contentsOf: block[..<count])
  }
}

/// Runs a program to its end, its output into ours.
/// - Throws: where it cannot be started or ends with another code than 0.
public func run(_ words: String...) throws { try run(words) }

public func run(_ words: [String]) throws {
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  defer { for argument in arguments { free(argument) } }
  var process: pid_t = 0
  guard posix_spawnp(&process, words[0], nil, nil, &arguments, environ) == 0 else {
    throw Unexpected("cannot start \(words[0])")
  }
  var status: Int32 = 0
  while waitpid(process, &status, 0) < 0, errno == EINTR {}
  guard status == 0 else { throw Unexpected("\(words.joined(separator: " ")) ended with status \(status)") }
}

/// Compiles C source against the public header into a shared object.
public func compilePlugin(_ source: String, named name: String, in folder: TemporaryFolder) throws -> String {
  let file = try folder.write(source.utf8, to: "\(name).c")
  let library = "\(folder.path)/lib\(name).so"
  try run(
    "clang", "-std=c11", "-shared", "-fPIC", "-I", "\(packageFolder)/Sources/CPhaseABI/include", file, "-o", library)
  return library
}

/// Tests/Fixtures/UnrulyPlugin, which leaves processes behind and breaks its channels.
public func compileUnrulyPlugin(in folder: TemporaryFolder) throws -> String {
  let library = "\(folder.path)/libUnruly.so"
  try compilePlugin("UnrulyPlugin/unruly.c", to: library)
  return library
}

/// Compiles a plugin in C of Tests/Fixtures.
/// - Parameter header: the folder of the carbontube.h that it is built with.
public func compilePlugin(
  _ source: String, to library: String, header: String = "Sources/CPhaseABI/include", flags: [String] = []
) throws {
  let compiler = ["clang", "-std=gnu11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-I", "\(packageFolder)/\(header)"]
  try run(compiler + flags + ["\(packageFolder)/Tests/Fixtures/\(source)", "-o", library])
}
