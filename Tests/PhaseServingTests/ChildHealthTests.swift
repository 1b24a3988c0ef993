import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

@Suite("A worker says serving only while a child of it can run jobs")
struct ChildHealthTests {
  private let start = Instant(milliseconds: 1_000)

  private func service(_ healths: [ChildHealth], at now: Instant) -> ServiceState {
    ServiceState(slots: healths.map { $0.standing(now: now) }, isServing: true, quarantine: nil)
  }

  @Test func `A child that is not ready yet takes nothing`() {
    var health = ChildHealth(readyWithin: 30_000)
    health.started(now: start)
    #expect(service([health], at: start).state == .starting)
    health.becameReady(now: start + 10)
    #expect(service([health], at: start + 10) == service([health], at: start + 900_000))
    #expect(service([health], at: start + 10).state == .serving)
  }

  @Test func `A crash in a job does not take the worker out of service while another child starts`() {
    var health = ChildHealth(readyWithin: 30_000)
    var now = start
    for _ in 0..<20 {
      health.started(now: now)
      health.becameReady(now: now + 10)
      health.ended("SIGILL", hadJob: true, now: now + 20)
      now = now + 20
      #expect(health.mayStart(now: now))
      #expect(service([health], at: now + 50).state == .serving)
    }
    // Unless the next one takes long.
    #expect(service([health], at: now + ChildHealth.replacementMilliseconds).state == .starting)
  }

  @Test func `A child that refuses, does not start or ends before it is ready makes the worker impaired`() {
    var refused = ChildHealth(readyWithin: 30_000)
    refused.started(now: start)
    refused.refused("no model")
    refused.ended("exited with code 3", hadJob: false, now: start)
    #expect(service([refused], at: start).reason == "no model")
    var missing = ChildHealth(readyWithin: 30_000)
    missing.startFailed("no such program", now: start)
    var died = ChildHealth(readyWithin: 30_000)
    died.started(now: start)
    died.ended("SIGKILL", hadJob: false, now: start)
    for health in [refused, missing, died] {
      #expect(service([health], at: start).state == .impaired)
      #expect(!health.mayStart(now: start))
      #expect(health.mayStart(now: start + 5_000))
    }
    var ready = ChildHealth(readyWithin: 30_000)
    ready.becameReady(now: start)
    let partly = service([missing, ready, died], at: start)
    #expect(partly.state == .serving)
    #expect(partly.slots == 1)
    #expect(partly.reason == "2 of 3 children do not start: no such program")
  }

  @Test func `A child that was ready and could not stay is no use`() {
    var health = ChildHealth(readyWithin: 30_000)
    health.becameReady(now: start)
    health.ended("SIGKILL", hadJob: false, now: start + 10)
    #expect(service([health], at: start + 10).state == .impaired)
    #expect(!health.mayStart(now: start + 10))
  }

  @Test func `A child has a deadline for becoming ready`() {
    var health = ChildHealth(readyWithin: 30_000)
    #expect(!health.isOverdue(now: start + 40_000))
    health.started(now: start)
    #expect(!health.isOverdue(now: start + 29_999))
    #expect(health.isOverdue(now: start + 30_000))
    health.gaveUp()
    #expect(service([health], at: start + 30_000).state == .impaired)
    health.ended("SIGKILL", hadJob: false, now: start + 30_000)
    #expect(health.problem?.contains("not ready within 30000 ms") == true)
    health.started(now: start + 40_000)
    health.becameReady(now: start + 41_000)
    #expect(!health.isOverdue(now: start + 900_000))
    #expect(service([health], at: start + 41_000).reason.isEmpty)
  }

  @Test func `Draining and quarantine come first`() {
    var health = ChildHealth(readyWithin: 30_000)
    health.becameReady(now: start)
    let standing = [health.standing(now: start)]
    #expect(ServiceState(slots: standing, isServing: false, quarantine: "x").state == .draining)
    let quarantined = ServiceState(slots: standing, isServing: true, quarantine: "crashed on 3 jobs")
    #expect(quarantined.state == .impaired)
    #expect(quarantined.reason == "quarantined: crashed on 3 jobs")
  }
}

@Suite("What lasts is said once, and then rarely")
struct RemarkTests {
  private let start = Instant(milliseconds: 0)

  @Test func `The same trouble is said again after ten minutes, another one after ten seconds`() {
    var remark = RareRemark()
    #expect(remark.isDue("a", now: start) == true)
    for second in 1..<600 { #expect(remark.isDue("a", now: start + Int64(second) * 1_000) == false) }
    #expect(remark.isDue("a", now: start + 600_000) == true)
    #expect(remark.isDue("b", now: start + 601_000) == false)
    #expect(remark.isDue("b", now: start + 610_000) == true)
    #expect(remark.end() == true)
    #expect(remark.end() == false)
    #expect(remark.isDue("b", now: start + 611_000) == true)
  }

  @Test func `No coordinator is said after three seconds, no welcome after five`() {
    var silence = CoordinatorSilence()
    #expect(silence.look(isHeard: false, isWelcome: false, now: start) == nil)
    #expect(silence.look(isHeard: false, isWelcome: false, now: start + 2_999) == nil)
    #expect(silence.look(isHeard: false, isWelcome: false, now: start + 3_000) == .nobody)
    #expect(silence.look(isHeard: true, isWelcome: false, now: start + 3_100) == nil)
    #expect(silence.look(isHeard: true, isWelcome: false, now: start + 8_100) == .noWelcome)
    #expect(silence.look(isHeard: true, isWelcome: true, now: start + 8_200) == nil)
    // It went away.
    #expect(silence.look(isHeard: false, isWelcome: true, now: start + 9_000) == nil)
    #expect(silence.look(isHeard: false, isWelcome: true, now: start + 12_000) == .nobody)
  }
}
