import Glibc

/// The headers of a shared object, checked to lie within its file.
struct ELFImage {
  private let segments: [Elf64_Phdr]

  init(_ file: borrowing OpenedFile) throws(PluginRefusal) {
    guard let start = file.bytes(at: 0, count: Int(SELFMAG)), start == [0x7f, 0x45, 0x4c, 0x46] else {
      throw refusal(file.path, "is not an ELF file; give a shared object (.so)")
    }
    guard let header: Elf64_Ehdr = value(in: file, at: 0) else { throw cutShort(file.path) }
    try checkMachine(header, file.path)
    guard header.e_type == ET_DYN, Int(header.e_phentsize) == MemoryLayout<Elf64_Phdr>.size else {
      throw refusal(file.path, "is not a shared object; link it with -shared")
    }
    guard Int(header.e_phnum) <= maximumSegments else {
      throw refusal(file.path, "has \(header.e_phnum) program headers; a plugin has at most \(maximumSegments)")
    }
    var segments: [Elf64_Phdr] = []
    for index in 0..<Int(header.e_phnum) {
      guard let offset = Int(exactly: header.e_phoff), offset <= file.size,
        let segment: Elf64_Phdr = value(in: file, at: offset + index * MemoryLayout<Elf64_Phdr>.size)
      else { throw cutShort(file.path) }
      try checkInside(file, segment.p_offset, segment.p_filesz)
      segments.append(segment)
    }
    // The table of sections is the last thing a linker writes, so it tells of cuts that spare the segments.
    try checkInside(file, header.e_shoff, UInt64(header.e_shnum) * UInt64(header.e_shentsize))
    self.segments = segments
  }

  /// The four numbers of the note named carbontube; nil where there is none.
  func pluginNote(in file: borrowing OpenedFile) throws(PluginRefusal) -> [UInt32]? {
    var rest = maximumNoteBytes
    for segment in segments where segment.p_type == PT_NOTE {
      guard segment.p_filesz <= rest else {
        throw refusal(file.path, "has notes of more than \(maximumNoteBytes) bytes, which no plugin has")
      }
      rest -= Int(segment.p_filesz)
      guard let bytes = file.bytes(at: Int(segment.p_offset), count: Int(segment.p_filesz))
      else { throw cutShort(file.path) }
      if let numbers = numbersOfNote(in: bytes, alignment: segment.p_align == 8 ? 8 : 4) { return numbers }
    }
    return nil
  }
}

/// Linkers write about a dozen; looking at each takes time, which a file must not choose.
private let maximumSegments = 256
private let maximumNoteBytes = 1 << 20

/// The header's bytes can only be read as numbers once they are known to be of this machine's kind.
private func checkMachine(_ header: Elf64_Ehdr, _ path: String) throws(PluginRefusal) {
  let identity = withUnsafeBytes(of: header.e_ident) { Array($0) }
  let difference: String? =
    if identity[Int(EI_CLASS)] != ELFCLASS64 {
      "is of another ELF class, perhaps for 32 bits (ELF class \(identity[Int(EI_CLASS)]), here \(ELFCLASS64))"
    } else if identity[Int(EI_DATA)] != ELFDATA2LSB {
      "is built for another byte order (ELF data \(identity[Int(EI_DATA)]), here \(ELFDATA2LSB))"
    } else if header.e_machine != machine {
      "is built for another machine, \(machineName(header.e_machine)), not for this one, \(machineName(machine))"
    } else {
      nil
    }
  if let difference { throw refusal(path, "\(difference); rebuild it here") }
}

#if arch(x86_64)
  private let machine = Elf64_Half(EM_X86_64)
#elseif arch(arm64)
  private let machine = Elf64_Half(EM_AARCH64)
#endif

/// As people say it; by its number in ELF where this program knows no name.
private func machineName(_ number: Elf64_Half) -> String {
  switch Int32(number) {
  case EM_386: "x86 of 32 bits"
  case EM_ARM: "ARM of 32 bits"
  case EM_X86_64: "x86-64"
  case EM_AARCH64: "AArch64"
  case EM_PPC64: "PowerPC of 64 bits"
  case EM_S390: "IBM Z"
  case EM_RISCV: "RISC-V"
  case EM_LOONGARCH: "LoongArch"
  default: "ELF machine \(number)"
  }
}

private let noteName = Array("carbontube\0".utf8)

private func numbersOfNote(in bytes: [UInt8], alignment: Int) -> [UInt32]? {
  func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
  var position = 0
  let headerSize = MemoryLayout<Elf64_Nhdr>.size
  while position + headerSize <= bytes.count {
    let header = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Elf64_Nhdr.self) }
    let name = position + headerSize
    let descriptor = name + padded(Int(header.n_namesz))
    let end = descriptor + Int(header.n_descsz)
    guard end <= bytes.count else { return nil }
    if Array(bytes[name..<name + Int(header.n_namesz)]) == noteName, header.n_type == 1, header.n_descsz >= 16 {
      return (0..<4).map { index in
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: descriptor + 4 * index, as: UInt32.self) }
      }
    }
    position = descriptor + padded(Int(header.n_descsz))
  }
  return nil
}

/// A plain C struct of the file.
private func value<Struct: BitwiseCopyable>(in file: borrowing OpenedFile, at offset: Int) -> Struct? {
  file.bytes(at: offset, count: MemoryLayout<Struct>.size)?.withUnsafeBytes { $0.loadUnaligned(as: Struct.self) }
}

private func checkInside(_ file: borrowing OpenedFile, _ offset: UInt64, _ count: UInt64) throws(PluginRefusal) {
  let (end, overflow) = offset.addingReportingOverflow(count)
  guard !overflow, end <= UInt64(file.size) else { throw cutShort(file.path) }
}

private func cutShort(_ path: String) -> PluginRefusal {
  refusal(path, "is cut short, perhaps still being copied; copy it again, best under another name and then rename it")
}

private func refusal(_ path: String, _ reason: String) -> PluginRefusal {
  PluginRefusal(kind: .malformed, file: path, reason: reason)
}
