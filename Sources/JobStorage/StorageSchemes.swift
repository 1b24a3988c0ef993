/// Which stores a program knows: what makes one, by the scheme of its address, which is what stands before the first colon.
///
///     var schemes = StorageSchemes.standard
///     schemes.register("files", written: "files:FOLDER") { address in try FileStore(address: address) }
///
/// A value: whoever needs stores is handed one, so two parts of a program may know different ones.
public struct StorageSchemes: Sendable {
  /// Makes the store at `address`, the whole of it with its scheme, and opens nothing yet.
  ///
  /// Throws `.misconfigured` where the address is wrong, in a message that does not repeat a password.
  public typealias Maker = @Sendable (_ address: String) throws(StoreError) -> sending any JobStore

  private struct Scheme {
    var name: String
    var form: String
    var make: Maker
  }

  private var schemes: [Scheme] = []

  /// None at all; `StorageSchemes.standard` of CarbonTube has those that come with it.
  public init() {}

  /// Has addresses that begin with `scheme` and a colon made into stores by `make`, instead of what was registered for the
  /// same scheme before.
  ///
  /// - Parameters:
  ///   - scheme: with no colon; counts as it is written, in capitals or not.
  ///   - form: how such an address is written, for messages, e.g. `files:FOLDER`.
  public mutating func register(_ scheme: String, written form: String? = nil, _ make: @escaping Maker) {
    let added = Scheme(name: scheme, form: form ?? "\(scheme):…", make: make)
    if let place = schemes.firstIndex(where: { $0.name == scheme }) {
      schemes[place] = added
    } else {
      schemes.append(added)
    }
  }

  /// In the order in which they were registered.
  public var names: [String] { schemes.map(\.name) }

  /// The store at `address`, not opened yet.
  /// - Throws: `.misconfigured` where no such scheme is registered, or the address is wrong.
  public func store(at address: String) throws(StoreError) -> sending any JobStore {
    guard let colon = address.firstIndex(of: ":") else { throw unknown("the storage address has no scheme") }
    let name = address[..<colon]
    // It may hold a password, so only its scheme is repeated.
    guard let scheme = schemes.first(where: { $0.name == name }) else {
      throw unknown("storage address '\(name):…' is not known")
    }
    return try scheme.make(address)
  }

  private func unknown(_ problem: String) -> StoreError {
    let forms = schemes.map(\.form)
    let known = [forms.dropLast().joined(separator: ", "), forms.last ?? ""].filter { !$0.isEmpty }
    let advice = known.isEmpty ? "this program knows no storage at all" : "write " + known.joined(separator: " or ")
    return StoreError(.misconfigured, operation: "open", message: "\(problem); \(advice)")
  }
}
