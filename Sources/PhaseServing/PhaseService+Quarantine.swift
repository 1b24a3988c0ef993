internal import HostSupervision
internal import PipelineModel
internal import PluginCatalog
internal import WireProtocol

/// What happens to a build that crashes on one job after another.
extension PhaseService {
  private static var lookEveryMilliseconds: Int64 { 1_000 }

  /// Another worker's crashes count as well, and a release is heard of: both come by way of the state folder.
  func checkQuarantine(now: Instant) {
    guard settings.quarantineAfter != nil, now >= lookForQuarantineAt else { return }
    lookForQuarantineAt = now + Self.lookEveryMilliseconds
    let record = Quarantine(stateFolder: settings.stateFolder).record(of: build, settings.jobType)
    guard (record == nil) != (quarantine == nil) else { return }
    enter(record)
  }

  /// As `carbontube plugins release` does on this machine: other workers of this user hear of it as well.
  func release(_ order: ReleaseOrder) {
    guard order.plugin == plugin, settings.quarantineAfter != nil else { return }
    _ = Quarantine(stateFolder: settings.stateFolder)
      .release(build, jobType: settings.jobType, now: clocks.timestamp().milliseconds)
    lookForQuarantineAt = Instant(milliseconds: .min)
  }

  func noteCrash(_ exit: HostExit, of job: JobID) {
    guard let limit = settings.quarantineAfter, exit.blamesPlugin else { return }
    let record = Quarantine(stateFolder: settings.stateFolder).recordCrash(
      of: build, settings.jobType, file: settings.library, job: job.text, cause: exit.explanation, limit: limit,
      now: clocks.timestamp().milliseconds)
    if let record, quarantine == nil { enter(record) }
  }

  /// `judgeService` hands back what waits and tells it.
  private func enter(_ record: Quarantine.Record?) {
    quarantine = record
    let name = "\(settings.jobType) of \(pluginFile) \(plugin)"
    guard let record else { return logger.notice("\(name) was released from quarantine") }
    logger.error(
      "\(name) is quarantined: \(record.reason); replace the file, or run: carbontube plugins release \(plugin)")
  }
}
