import Testing

@testable import ZeroMQTransport

@Suite struct DescriptorLimitTests {
  @Test(arguments: [10, 35, 60, 150, 300, 900]) func theLeastLimitThatIsNamedIsTheLeastThatIsEnough(own: Int) {
    let needed = DescriptorLimit.needed(own: own, servesMany: true)
    #expect(own + DescriptorLimit.reserve(of: needed) < needed)
    #expect(own + 4 + DescriptorLimit.reserve(of: needed - 1) > needed - 1)
    #expect(DescriptorLimit.needed(own: own, servesMany: false) < needed)
  }

  @Test func thisProcessHasWhatItNeeds() {
    #expect(DescriptorLimit.missing(own: 1, servesMany: false) == nil)
    let missing = DescriptorLimit.missing(own: 1 << 30, servesMany: true)
    #expect(missing.map { $0.limit < $0.needed } == true)
  }
}
