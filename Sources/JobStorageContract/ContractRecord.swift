internal import JobStorage

/// Which expectations of one case were not met. Used by one thread.
final class ContractRecord {
  private(set) var failures: [ContractFailure] = []
  /// Of the last expectation, or of the case.
  private(set) var lastPlace: ContractPlace

  init(_ place: ContractPlace) { lastPlace = place }

  func add(_ failure: ContractFailure) { failures.append(failure) }

  func note(_ message: String?, at place: ContractPlace) {
    lastPlace = place
    if let message { failures.append(ContractFailure(message: message, place: place)) }
  }
}

extension Scene {
  /// Goes on after what does not hold.
  func expect(
    _ holds: @autoclosure () throws -> Bool, _ note: @autoclosure () -> String = "", fileID: String = #fileID,
    filePath: String = #filePath, line: Int = #line
  ) rethrows {
    let place = ContractPlace(fileID: fileID, filePath: filePath, line: line)
    record.note(nil, at: place)
    if try !holds() { record.note("what this line expects is not so" + told(note()), at: place) }
  }

  /// See `expect(_:)`; tells what both are.
  func expect<Value: Equatable>(
    _ found: @autoclosure () throws -> Value, is wanted: @autoclosure () throws -> Value,
    _ note: @autoclosure () -> String = "", fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) rethrows {
    let place = ContractPlace(fileID: fileID, filePath: filePath, line: line)
    record.note(nil, at: place)
    let (found, wanted) = (try found(), try wanted())
    if found != wanted { record.note("found \(found), wanted \(wanted)" + told(note()), at: place) }
  }

  /// Expects that `call` is refused with an error of this kind, which it returns.
  @discardableResult
  func expect(
    _ kind: StoreError.Kind, _ note: @autoclosure () -> String = "", fileID: String = #fileID,
    filePath: String = #filePath, line: Int = #line, of call: () throws -> Any
  ) -> StoreError? {
    let place = ContractPlace(fileID: fileID, filePath: filePath, line: line)
    do {
      record.note("found \(try call()), wanted an error of the kind \(kind)" + told(note()), at: place)
    } catch let error as StoreError where error.kind == kind {
      record.note(nil, at: place)
      return error
    } catch {
      record.note("found the error \(error), wanted one of the kind \(kind)" + told(note()), at: place)
    }
    return nil
  }

  /// Ends the case where there is nothing.
  func require<Value>(
    _ value: @autoclosure () throws -> Value?, fileID: String = #fileID, filePath: String = #filePath,
    line: Int = #line
  ) throws -> Value {
    let place = ContractPlace(fileID: fileID, filePath: filePath, line: line)
    record.note(nil, at: place)
    if let value = try value() { return value }
    throw ContractFailure(message: "found nothing where there must be something", place: place)
  }

  private func told(_ note: String) -> String { note.isEmpty ? "" : " (\(note))" }
}
