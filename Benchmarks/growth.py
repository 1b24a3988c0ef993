"""How the cost of a job grows with what there is around it. Each point is a system of its own, measured several times."""

import base64
import os
import statistics
import sys
import time

from carbontube import CarbonTube
from carbontube_client import Refused
from measurement import Progress, Stalled
from table import number, print_table, spread

# Jobs of one measurement: enough for seconds of work, whatever is queued behind them.
WINDOW = 20_000
TOLERANCE = 0.2


def measure(curves, stores, rounds):
    results = {"rounds": rounds, "curves": {}}
    for curve in curves:
        points = results["curves"][curve] = []
        for series, x, make, window in CURVES[curve](stores):
            print(f"{curve}: {series}, {x:,}", file=sys.stderr)
            try:
                points.append({"series": series, "x": x, "rounds": measure_point(make, window, rounds)})
            except (Stalled, Refused) as failure:
                points.append({"series": series, "x": x, "rounds": [], "failure": str(failure)})
    return results


def measure_point(make, window, rounds):
    system = make()
    try:
        system.start()
        # The first job of each slot starts its PluginHost.
        jobs = min(200 * system.workers_per_phase * system.concurrency, WINDOW)
        run(system, jobs)
        return [window(system) for _ in range(rounds)]
    finally:
        system.end()


def run(system, jobs, body=None):
    """Fills the queue, then works it off."""
    system.hold()
    enqueued = jobs / enqueue(system, jobs, body)
    meter = Meter(system)
    system.release()
    Progress(meter.phase_runs).until(lambda count: count >= jobs * system.phases, 0.01)
    return meter.figures() | {"enqueue_per_s": enqueued}


def run_behind(system, queued, jobs, seconds=0):
    """Keeps `queued` jobs before the first phase while `jobs` run, and for so long at least: what is measured has neither a
    beginning nor an end, of which a short queue would have more than a long one. The enqueueing is part of the cost."""
    system.hold()
    first = system.status()["phases"][0]
    missing = queued - first["waiting"] - first["running"]
    filled = enqueue(system, missing) if missing > 0 else None
    meter, begun, replaced = Meter(system), system.phase_runs()[0], 0
    end = time.monotonic() + seconds
    system.release()

    def topped_up():
        nonlocal replaced
        if (gone := system.phase_runs()[0] - begun - replaced) > 0:
            enqueue(system, gone)
            replaced += gone
        return meter.phase_runs()

    Progress(topped_up).until(lambda count: count >= jobs * system.phases and time.monotonic() >= end, 0.002)
    return meter.figures() | ({"enqueue_per_s": missing / filled} if filled and missing >= 1_000 else {})


class Meter:
    """What the processes have done and cost since it was made. Counted by phase runs: where the queue is longer than what
    runs, the first phase is ahead of the last."""

    def __init__(self, system):
        self.system, self.before, self.start = system, system.processes.cpu_by_role(), time.perf_counter()
        self.begun = sum(system.phase_runs())

    def phase_runs(self):
        return sum(self.system.phase_runs()) - self.begun

    def figures(self):
        jobs, seconds = self.phase_runs() / self.system.phases, time.perf_counter() - self.start
        spent = {role: usage - self.before.get(role, 0) for role, usage in self.system.processes.cpu_by_role().items()}
        cost = {role: usage / jobs * 1e6 for role, usage in spent.items()}
        return {"cpu_us": cost | {"all": sum(cost.values())}, "jobs_per_s": jobs / seconds,
                "peak_mib": self.system.processes.peak_by_role(), "phases": self.system.phases}


def enqueue(system, jobs, body=None):
    arguments = {} if body is None else {"body": body, "batch": max(1, min(500, (1 << 20) // len(body)))}
    start = time.perf_counter()
    system.control.enqueue(jobs, **arguments)
    return time.perf_counter() - start


def queue(stores, lengths=(1_000, 10_000, 100_000, 1_000_000)):
    for store in stores:
        for length in lengths:
            yield store, length, lambda store=store: CarbonTube(store), lambda system, length=length: run_behind(
                system, length, WINDOW)


def workers(stores, counts=(3, 6, 12, 24, 48, 99, 198)):
    for store in stores:
        for count in counts:
            yield store, count, lambda store=store, count=count: CarbonTube(store, workers_per_phase=count // 3), full_window


def full_window(system):
    return run(system, WINDOW)


def phases(stores, counts=(3, 5, 10, 20, 50)):
    for store in stores:
        for count in counts:
            jobs = 3 * WINDOW // count
            yield store, count, lambda store=store, count=count: CarbonTube(store, phases=count), lambda system, jobs=jobs: run(
                system, jobs)


def instructions(stores, sizes=((34, WINDOW), (1 << 10, WINDOW // 2), (1 << 14, 4_000), (1 << 17, 600), (1 << 20, 80))):
    for store in stores:
        for size, jobs in sizes:
            yield store, size, lambda store=store: CarbonTube(store), lambda system, size=size, jobs=jobs: run(
                system, jobs, body=instructions_of(size)) | {"bytes": size}


def instructions_of(size):
    """Random letters, which zlib can make a quarter smaller: neither the best case nor the worst."""
    head, tail = b'{"data": "', b'"}'
    letters = size - len(head) - len(tail)
    return head + base64.b64encode(os.urandom(letters))[:letters] + tail


def concurrency(stores, counts=(1, 4, 16, 64)):
    for store in stores:
        for sleep_us, work in ((0, "no-op"), (1_000, "sleeps 1 ms")):
            for count in counts:
                jobs = min(WINDOW, 2_000 * count) if sleep_us else WINDOW
                yield f"{store}, {work}", count, lambda store=store, count=count, sleep_us=sleep_us: CarbonTube(
                    store, concurrency=count, sleep_us=sleep_us), lambda system, jobs=jobs: run(system, jobs)


CURVES = {"queue": queue, "workers": workers, "phases": phases, "instructions": instructions, "concurrency": concurrency}
TITLES = {"queue": "jobs queued", "workers": "workers", "phases": "phases", "instructions": "bytes of instructions",
          "concurrency": "concurrency of each of three workers"}
# The curves that must be flat.
FLAT = ("queue", "workers")
COLUMNS = ["", "x", "jobs/s", "acknowledged enqueue/s", "CPU µs per job", "of it coordinator", "of it redis-server",
           "CPU µs per phase run", "MB/s", "coordinator peak MiB"]


def show(results):
    for curve, points in results["curves"].items():
        rows = [row(point) for point in points]
        columns = [place for place in range(len(COLUMNS)) if any(cells[place] for cells in rows)]
        print_table(f"Cost over {TITLES[curve]}; median of {results['rounds']} (least–greatest)",
                    [TITLES[curve] if COLUMNS[place] == "x" else COLUMNS[place] for place in columns],
                    [[cells[place] for place in columns] for cells in rows])
        print()
        for series in dict.fromkeys(point["series"] for point in points):
            print(verdict(curve, series, [point for point in points if point["series"] == series and point["rounds"]]))


def row(point):
    rounds = point["rounds"]
    if not rounds:
        return [point["series"], f'{point["x"]:,}', point["failure"]] + [""] * (len(COLUMNS) - 3)
    per_run = [figures["cpu_us"]["all"] / figures["phases"] for figures in rounds]
    return [point["series"], f'{point["x"]:,}', spread([figures["jobs_per_s"] for figures in rounds]),
            spread([figures["enqueue_per_s"] for figures in rounds if "enqueue_per_s" in figures]), spread(cost(rounds, "all")),
            spread(cost(rounds, "coordinator")), spread(cost(rounds, "redis-server")), spread(per_run),
            spread([figures["jobs_per_s"] * figures["bytes"] / 1e6 for figures in rounds if "bytes" in figures]),
            number(rounds[-1]["peak_mib"]["coordinator"])]


def cost(rounds, role):
    return [figures["cpu_us"][role] for figures in rounds if role in figures["cpu_us"]]


def verdict(curve, series, points):
    """How far the points go from the middle one, and whether the coordinator's memory grew."""
    if not points:
        return f"- {series}: nothing measured"
    memory = [point["rounds"][-1]["peak_mib"]["coordinator"] for point in points]
    parts = [f"{what}: {deviation(values, curve in FLAT)}" for what, values in costs(curve, points).items()]
    parts.append(f"coordinator's peak {memory[0]:.0f} … {memory[-1]:.0f} MiB")
    if curve == "queue" and series != "memory":
        parts[-1] += ", does not grow" if max(memory) <= memory[0] * (1 + TOLERANCE) else ", GROWS"
    return f"- {series}: " + "; ".join(parts)


def costs(curve, points):
    """Of each point the median. The server's share is told apart: many workers on few cores cost of themselves."""
    per, unit = {"phases": ("phases", "phase run"), "instructions": ("bytes", "byte")}.get(curve, (None, "job"))

    def medians(price):
        return [statistics.median(price(figures) / (figures[per] if per else 1) for figures in point["rounds"])
                for point in points]

    return {f"cost per {unit}": medians(lambda figures: figures["cpu_us"]["all"]),
            "of it coordinator and redis-server": medians(
                lambda figures: sum(figures["cpu_us"].get(role, 0) for role in ("coordinator", "redis-server")))}


def deviation(values, must_be_flat):
    middle = statistics.median(values)
    least, greatest = min(values) / middle - 1, max(values) / middle - 1
    text = f"{least:+.0%} … {greatest:+.0%} of the curve's median"
    if must_be_flat:
        text += ", within ±20 %" if max(-least, greatest) <= TOLERANCE else ", NOT within ±20 %"
    return text
