import Foundation
import JobStorageContract
import ShelfStore

let report = JobStorageContract.run { ShelfStore(address: "shelf:contract") }
print(report)
exit(report.holds ? 0 : 1)
