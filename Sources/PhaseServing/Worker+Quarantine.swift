internal import HostSupervision
internal import PipelineModel
internal import PluginCatalog

/// What happens to a build that crashes on one job after another.
extension Worker {
  private static var lookEveryMilliseconds: Int64 { 1_000 }

  /// Another worker's crashes count as well, and a release is heard of: both come by way of the state folder.
  func heedQuarantine(now: Instant) {
    guard settings.quarantineAfter != nil, now >= lookForQuarantineAt else { return }
    lookForQuarantineAt = now + Self.lookEveryMilliseconds
    let record = Quarantine(stateFolder: settings.stateFolder).record(of: build)
    guard (record == nil) != (quarantine == nil) else { return }
    enter(record)
  }

  func noteCrash(_ exit: HostExit, of job: JobID) {
    guard let limit = settings.quarantineAfter, exit.blamesPlugin else { return }
    let record = Quarantine(stateFolder: settings.stateFolder).recordCrash(
      of: build, file: settings.library, job: job.text, cause: exit.explanation, limit: limit,
      now: clocks.timestamp().milliseconds)
    if let record, quarantine == nil { enter(record) }
  }

  /// `judgeService` hands back what waits and announces it.
  private func enter(_ record: Quarantine.Record?) {
    quarantine = record
    guard let record else { return logger.notice("\(pluginFile) \(plugin) was released from quarantine") }
    logger.error(
      "\(pluginFile) \(plugin) is quarantined: \(record.reason); replace the file, or run: carbontube plugins release \(plugin)"
    )
  }
}
