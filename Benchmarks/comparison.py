"""CarbonTube, its peers and the limits of the machine at the same work, in interleaved rounds, as one table."""

import sys

import limits
import plugin_work
from carbontube import CarbonTube, idle
from measurement import Stalled, one_round
from redis_peers import RQ, Celery, Dramatiq
from socket_peers import Beanstalkd, Gearmand
from table import print_table, spread, spread_each

PEERS = [Gearmand, Beanstalkd, Dramatiq, lambda: Celery("solo"), lambda: Celery("prefork"), RQ]
RING = f"limit: bare ZeroMQ ring of {limits.HOPS} hops"
COMMANDS = "limit: redis-benchmark, as many commands"
# Seconds of work by which a system may be behind when the producer ends, before its row says so.
TOLERATED_BACKLOG = 0.6


def measure(stores, rounds, jobs=None, peers=True, probes=1_000, seconds=5, load=None):
    results = {"rounds": rounds, "load_per_s": load, "systems": {}, "limits": {}}
    makers = [lambda store=store: CarbonTube(store) for store in stores] + (PEERS if peers else [])
    for round_number in range(1, rounds + 1):
        for make in makers:
            system = make()
            print(f"round {round_number}: {system.name}", file=sys.stderr)
            own_jobs = jobs if isinstance(system, CarbonTube) else None
            try:
                figures = one_round(system, own_jobs, probes, seconds, load)
            except Stalled as stalled:
                figures = {"failure": str(stalled)}
            results["systems"].setdefault(system.name, []).append(figures)
        for name, figures in measure_limits(results["systems"]):
            print(f"round {round_number}: {name}", file=sys.stderr)
            results["limits"].setdefault(name, []).append(figures)
    results["idle"] = {store: idle(store) for store in stores}
    results["plugins"] = [plugin_work.listing(50) for _ in range(rounds)]
    return results


def measure_limits(systems):
    yield RING, limits.zeromq_ring()
    counted = column(systems.get("CarbonTube redis", []), "redis_commands_per_job")
    if counted:
        yield COMMANDS, limits.redis_commands(counted[-1])


def show(results):
    load = f'{results["load_per_s"]:,} jobs/s' if results["load_per_s"] else "50 % load"
    rows = [row(name, rounds) for name, rounds in results["systems"].items()]
    rows += [row(name, rounds) for name, rounds in results["limits"].items()]
    print_table(
        f"Three no-op phases, one worker each, jobs of 34 bytes; median of {results['rounds']} rounds (least–greatest)",
        ["system", "jobs/s", "phase runs/s", "acknowledged enqueue/s", "latency at idle, ms: p50 / p99 / p99.9",
         f"latency at {load}, ms: p50 / p99 / p99.9", "CPU s per 1,000 jobs", "peak MiB of each process"], rows)
    print_table("The coordinator at idle", ["store", "MiB", "CPU %"], [
        [store, f'{figures["idle_mib"]:.1f}', f'{figures["idle_cpu_percent"]:.2f}']
        for store, figures in results["idle"].items()])
    print_table("`carbontube plugins list` over 50 plugins never seen before, half in Swift and half in C, and again; ms",
                ["cold", "warm"], [[spread(column(results["plugins"], key)) for key in ("cold_ms", "warm_ms")]])


def column(rounds, key):
    return [figures[key] for figures in rounds if key in figures]


def row(name, rounds):
    jobs = column(rounds, "jobs_per_s")
    commands = column(rounds, "commands_per_job")
    phase_runs = [] if name in (RING, COMMANDS) else [3 * rate for rate in jobs]
    title = f"{name} ({commands[-1]:.1f} a job)" if commands else name
    return ["; ".join([title] + column(rounds, "failure")), spread(jobs), spread(phase_runs),
            spread(column(rounds, "enqueue_per_s")), spread_each(column(rounds, "idle_ms")),
            spread_each(column(rounds, "loaded_ms")) + shortfall(rounds), spread(column(rounds, "cpu_s_per_1000_jobs")),
            memory(column(rounds, "peak_mib"))]


def shortfall(rounds):
    """Latency under a load that was not there, or that the system did not keep up with, is another figure."""
    if max(column(rounds, "backlog_s"), default=0) > TOLERATED_BACKLOG:
        return f"; fell behind by up to {max(column(rounds, 'backlog_s')):.1f} s of work"
    if any(figures["load_per_s"] < 0.9 * figures["load_wanted_per_s"] for figures in rounds if "load_per_s" in figures):
        return "; the producer did not reach that"
    return ""


def memory(peaks):
    return ", ".join(f"{role} {spread(column(peaks, role))}" for role in (peaks[0] if peaks else []))
