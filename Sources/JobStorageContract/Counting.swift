package import JobStorage

extension StoreCounts {
  /// As one finds them by looking at every job. One that is shown in a phase that is not there is counted nowhere.
  package init(of jobs: [JobRecord], phases: Int) {
    self.init(phases: Array(repeating: PhaseCounts(), count: phases))
    for job in jobs where self.phases.indices.contains(job.phase) {
      switch job.state {
      case .waiting: self.phases[job.phase].waiting += 1
      case .delayed: self.phases[job.phase].delayed += 1
      case .running: self.phases[job.phase].running += 1
      case .dead:
        self.phases[job.phase].dead += 1
        deadBytes += job.instructions.count
      case .succeeded: succeeded += 1
      case .cancelled: cancelled += 1
      }
    }
  }
}
