import CarbonTubeCommand
import ShelfStore

var stores = StorageSchemes.standard
stores.register("shelf", written: "shelf:NAME") { address in ShelfStore(address: address) }
CarbonTubeCommand.main(stores: stores)
