"""What is measured of a system, without knowing which it is."""

import time


class Stalled(Exception):
    """Nothing has finished for so long that nothing will."""


class Progress:
    """Waits for a count to rise, and gives up where it no longer does."""

    def __init__(self, count, patience=15):
        self.count, self.patience = count, patience

    def until(self, reached, pause):
        last, seen = None, time.perf_counter()
        while not reached(value := self.count()):
            if value != last:
                last, seen = value, time.perf_counter()
            elif time.perf_counter() - seen > self.patience:
                raise Stalled(f"nothing finished for {self.patience} s, at {value:,}")
            time.sleep(pause)
        return value


def percentiles(times, shares=(0.5, 0.99, 0.999)):
    """p99.9 of fewer than 1,000 times is the greatest of them, and so is p99 of up to 100."""
    times = sorted(times)
    return [times[min(len(times) - 1, int(len(times) * share))] for share in shares]


def one_round(system, jobs=None, probes=1_000, probe_seconds=5, load=None):
    """All figures of one system, from its start to its end. `load` in jobs/s; without it, half of what the system can do."""
    try:
        system.start()
        system.ask("probe", 50, 5)
        figures = idle_latency(system, probes, probe_seconds) | filled_queue(system, jobs or system.jobs)
        return figures | loaded_latency(system, load or figures["jobs_per_s"] / 2, probes, probe_seconds)
    finally:
        system.end()


def idle_latency(system, probes, seconds):
    return {"idle_ms": percentiles(system.ask("probe", probes, seconds)["times_ms"])}


def filled_queue(system, jobs):
    """The jobs are there before the first runs, so that the enqueueing is measured apart from the running."""
    system.hold()
    enqueued = system.ask("fill", jobs)["seconds"]
    begun = system.finished()
    system.release()
    figures = until_finished(system, begun, jobs)
    return figures | system.own_figures(jobs) | {
        "enqueue_per_s": jobs / enqueued, "peak_mib": system.processes.peak_by_role()}


def until_finished(system, begun, jobs):
    """From the first finished job to the last, so that no start of a process is measured."""
    progress = Progress(system.finished)
    first = progress.until(lambda count: count > begun, 0.002)
    start, before = time.perf_counter(), system.processes.cpu_by_role()
    # Asking costs some systems a little, and the last answer may be as old as the pause.
    last = progress.until(lambda count: count >= begun + jobs, 0.01)
    seconds, counted = time.perf_counter() - start, last - first
    spent = {role: usage - before.get(role, 0) for role, usage in system.processes.cpu_by_role().items()}
    return {"jobs_per_s": counted / seconds, "cpu_s_per_1000_jobs": sum(spent.values()) * 1000 / counted,
            "cpu_us_per_job": {role: usage * 1e6 / counted for role, usage in spent.items()}}


def loaded_latency(system, rate, probes, seconds):
    """A probe beside a producer that sends so many jobs/s."""
    begun = system.finished()
    producer = system.client("produce", rate, seconds + 1)
    time.sleep(0.7)
    times = system.ask("probe", probes * 10, seconds)["times_ms"]
    produced = system.answer(producer)
    ran = system.finished() - begun - (len(times) if system.counts_probes else 0)
    return {"loaded_ms": percentiles(times), "loaded_probes": len(times), "load_per_s": produced["jobs"] / produced["seconds"],
            "load_wanted_per_s": rate, "backlog_s": max(0, produced["jobs"] - ran) / max(rate, 1)}
