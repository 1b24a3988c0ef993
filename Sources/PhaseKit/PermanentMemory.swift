// What a plugin says about itself lives as long as the process, so none of this is ever freed.

func permanent(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  let memory = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
  _ = memory.initialize(from: bytes)
  guard let start = memory.baseAddress else { preconditionFailure("a C string has at least its end mark") }
  return UnsafePointer(start)
}

func permanentStruct<Table>(_ table: Table) -> UnsafePointer<Table> {
  let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  memory.initialize(to: table)
  return UnsafePointer(memory)
}

func permanent<Table>(_ tables: [UnsafePointer<Table>]) -> UnsafePointer<UnsafePointer<Table>?>? {
  guard !tables.isEmpty else { return nil }
  let memory = UnsafeMutablePointer<UnsafePointer<Table>?>.allocate(capacity: tables.count)
  for (index, table) in tables.enumerated() { (memory + index).initialize(to: table) }
  return UnsafePointer(memory)
}
