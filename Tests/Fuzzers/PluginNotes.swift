import Glibc

@testable import PluginCatalog

extension FuzzTarget {
  /// The headers and the note of a shared object, which is read before anything of it is loaded.
  static let pluginNotes = FuzzTarget(name: "plugin-notes", seeds: elfSeeds) { bytes in
    let descriptor = shm_open("/carbontube-fuzz-\(getpid())", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count else {
      fatalError("no memory for a file: \(String(cString: strerror(errno)))")
    }
    defer {
      close(descriptor)
      shm_unlink("/carbontube-fuzz-\(getpid())")
    }
    do throws(PluginRefusal) {
      let file = try OpenedFile("/proc/self/fd/\(descriptor)")
      let note = try ELFImage(file).pluginNote(in: file)
      expect(note == nil || note?.count == 4, "a note of \(note?.count ?? 0) numbers")
    } catch {
      expect(!error.reason.isEmpty, "a refusal without a reason")
    }
  }
}

/// The smallest shared object that carries the note: one header, one segment.
private func elfSeeds() -> [[UInt8]] {
  let name = Array("carbontube\0\0".utf8)
  let note = words([11, 16, 1]) + name + words([1, 0, 603, 8])
  return [
    elf(note: note, alignment: 4), elf(note: note, alignment: 8), elf(note: words([0, 0, 7]) + note, alignment: 4),
  ]
}

private func words(_ numbers: [UInt32]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

private func elf(note: [UInt8], alignment: UInt64) -> [UInt8] {
  let headerSize = MemoryLayout<Elf64_Ehdr>.size
  let segmentSize = MemoryLayout<Elf64_Phdr>.size
  var header = Elf64_Ehdr()
  let identity: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, UInt8(ELFCLASS64), UInt8(ELFDATA2LSB), 1]
  withUnsafeMutableBytes(of: &header.e_ident) { $0.copyBytes(from: identity) }
  header.e_type = Elf64_Half(ET_DYN)
  #if arch(arm64)
    header.e_machine = Elf64_Half(EM_AARCH64)
  #else
    header.e_machine = Elf64_Half(EM_X86_64)
  #endif
  header.e_phoff = Elf64_Off(headerSize)
  header.e_phentsize = Elf64_Half(segmentSize)
  header.e_phnum = 1
  var segment = Elf64_Phdr()
  segment.p_type = Elf64_Word(PT_NOTE)
  segment.p_offset = Elf64_Off(headerSize + segmentSize)
  segment.p_filesz = Elf64_Xword(note.count)
  segment.p_align = alignment
  return withUnsafeBytes(of: header) { Array($0) } + withUnsafeBytes(of: segment) { Array($0) } + note
}
