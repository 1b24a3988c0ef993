public import Coordination

extension PipelineHooks {
  /// Hooks that call these, and then `further`.
  public func adding(_ further: PipelineHooks) -> PipelineHooks {
    var both = self
    if let next = further.started {
      both.started = { [started] in
        started?()
        next()
      }
    }
    if let next = further.stopped {
      both.stopped = { [stopped] in
        stopped?()
        next()
      }
    }
    if let next = further.jobFinished {
      both.jobFinished = { [jobFinished] job in
        jobFinished?(job)
        next(job)
      }
    }
    if let next = further.jobProgressed {
      both.jobProgressed = { [jobProgressed] job, fraction, message in
        jobProgressed?(job, fraction, message)
        next(job, fraction, message)
      }
    }
    if let next = further.jobLogged {
      both.jobLogged = { [jobLogged] job, line in
        jobLogged?(job, line)
        next(job, line)
      }
    }
    if let next = further.jobRetried {
      both.jobRetried = { [jobRetried] job, error, wait in
        jobRetried?(job, error, wait)
        next(job, error, wait)
      }
    }
    return both
  }
}
