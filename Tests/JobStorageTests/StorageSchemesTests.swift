import JobStorage
import Testing

@Suite("Schemes of storage addresses")
struct StorageSchemesTests {
  private func refusal(_ schemes: StorageSchemes, _ address: String) -> StoreError? {
    do throws(StoreError) {
      _ = try schemes.store(at: address)
      return nil
    } catch {
      return error
    }
  }

  @Test func `A store is made by what its scheme was registered with last`() throws {
    var schemes = StorageSchemes()
    schemes.register("shelf") { address throws(StoreError) in
      throw StoreError(.misconfigured, operation: "open", message: "the first, of \(address)")
    }
    #expect(refusal(schemes, "shelf:a:b")?.message == "the first, of shelf:a:b")
    schemes.register("drawer") { _ in MemoryJobStore() }
    schemes.register("shelf") { _ in MemoryJobStore() }
    #expect(try schemes.store(at: "shelf:a:b").address == "memory:")
    #expect(schemes.names == ["shelf", "drawer"])
  }

  @Test func `Whoever names no scheme that is there is told which there are, and no password is repeated`() {
    var schemes = StorageSchemes()
    let none = refusal(schemes, "shelf:secret")
    #expect(none?.kind == .misconfigured)
    #expect(none?.message == "storage address 'shelf:…' is not known; this program knows no storage at all")
    schemes.register("files", written: "files:FOLDER") { _ in MemoryJobStore() }
    #expect(refusal(schemes, "shelf:secret")?.message == "storage address 'shelf:…' is not known; write files:FOLDER")
    schemes.register("drawer") { _ in MemoryJobStore() }
    schemes.register("memory", written: "memory:") { _ in MemoryJobStore() }
    let message = "storage address 'File:…' is not known; write files:FOLDER, drawer:… or memory:"
    #expect(refusal(schemes, "File:secret")?.message == message)
    for address in ["", "files", "/var/lib/secret"] {
      let message = "the storage address has no scheme; write files:FOLDER, drawer:… or memory:"
      #expect(refusal(schemes, address)?.message == message)
    }
  }

  @Test func `A value that was handed on is not changed by who registers more`() {
    let before = StorageSchemes()
    var after = before
    after.register("shelf") { _ in MemoryJobStore() }
    #expect(before.names.isEmpty && after.names == ["shelf"])
  }
}
