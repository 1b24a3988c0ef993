"""What connections cost a coordinator: 20 workers at work, by turns alone and beside a crowd of others that have no slot free."""

import os
import subprocess
import sys
import time

from carbontube import CarbonTube
from growth import WINDOW, run_behind
from processes import cpu_seconds
from system import HERE
from table import number, print_table, spread

IDLE_SECONDS = 5


def measure(stores, rounds, jobs, crowds):
    results = {"rounds": rounds, "stores": {store: {} for store in stores}}
    for _ in range(rounds):
        for store in stores:
            for crowd in crowds:
                print(f"{store}: {crowd} connections beside 21 workers", file=sys.stderr)
                results["stores"][store].setdefault(str(crowd), []).append(point(store, crowd, jobs))
    return results


def point(store, crowd, jobs):
    system = CarbonTube(store, workers_per_phase=7)
    others = None
    try:
        system.start()
        if crowd:
            others = subprocess.Popen(
                [sys.executable, "-B", f"{HERE}/crowd.py", system.address, "no-op-1", str(crowd)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True)
            if others.stdout.readline() != "ready\n":
                raise RuntimeError(f"{crowd} connections were not all welcome")
        figures = run_behind(system, WINDOW, jobs)
        coordinator = next(process for role, process in system.processes.by_role() if role == "coordinator")
        before = cpu_seconds(coordinator)
        time.sleep(IDLE_SECONDS)
        figures["idle_percent"] = (cpu_seconds(coordinator) - before) / IDLE_SECONDS * 100
        figures["descriptors"] = len(os.listdir(f"/proc/{coordinator}/fd"))
        return figures
    finally:
        if others:
            others.stdin.close()
            others.wait(60)
        system.end()


def show(results):
    for store, crowds in results["stores"].items():
        print_table(
            f"Connections beside 21 workers at work, {store}; medians of {results['rounds']} rounds (least–greatest)",
            ["connections", "jobs/s", "coordinator: CPU µs per job", "idle, % of a processor", "peak MiB", "descriptors"],
            [[f"{int(crowd):,}", spread([run["jobs_per_s"] for run in runs]),
              spread([run["cpu_us"]["coordinator"] for run in runs]), spread([run["idle_percent"] for run in runs]),
              spread([run["peak_mib"]["coordinator"] for run in runs]), number(max(run["descriptors"] for run in runs))]
             for crowd, runs in crowds.items()])
