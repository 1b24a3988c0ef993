"""This build and that of another commit by turns, compared pair by pair: what drifts in the machine between hours, or
between minutes, is in both of a pair."""

import os
import statistics
import subprocess
import sys

from carbontube import CarbonTube
from measurement import one_round
from system import ROOT
from table import number, print_table

# A median that is worse by more than this has fallen.
TOLERANCE = 0.05
# What is compared, from the figures of one round, and whether more is better.
FIGURES = [
    ("phase runs/s", lambda figures: 3 * figures["jobs_per_s"], True),
    ("acknowledged enqueue/s", lambda figures: figures["enqueue_per_s"], True),
    ("latency at idle, p50, ms", lambda figures: figures["idle_ms"][0], False),
    ("latency at half load, p50, ms", lambda figures: figures["loaded_ms"][0], False),
    ("CPU s per 1,000 jobs", lambda figures: figures["cpu_s_per_1000_jobs"], False),
]


def built(commit, folder):
    """A checkout of `commit` with its release built, kept for the next time."""
    named = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"], capture_output=True, text=True)
    if named.returncode != 0:
        sys.exit(f"scripts/bench: '{commit}' names no commit of this repository")
    checkout = f"{folder}/{named.stdout.strip()}"
    if not os.path.exists(f"{checkout}/built"):
        os.makedirs(checkout, exist_ok=True)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", named.stdout.strip()], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", checkout], stdin=archive.stdout, check=True)
        print(f"building {commit}", file=sys.stderr)
        subprocess.run([f"{checkout}/scripts/build"], check=True, stdout=subprocess.DEVNULL)
        open(f"{checkout}/built", "w").close()
    return checkout


def measure(stores, rounds, jobs, probes, seconds, other):
    results = {"rounds": rounds, "stores": {store: [] for store in stores}}
    for number_of_round in range(rounds):
        for store in stores:
            print(f"round {number_of_round + 1}: {store}", file=sys.stderr)
            # Each comes first as often as second: the first may warm what the second finds warm.
            order = [("now", ROOT), ("before", other)][:: 1 if number_of_round % 2 else -1]
            pair = {name: one_round(CarbonTube(store, checkout=checkout), jobs, probes, seconds) for name, checkout in order}
            results["stores"][store].append(pair)
    return results


def show(results):
    """Prints the table; returns the figures that fell."""
    rows, fell = [], []
    for store, pairs in results["stores"].items():
        for name, figure, more_is_better in FIGURES:
            before, now = ([figure(pair[side]) for pair in pairs] for side in ("before", "now"))
            gains = [(n / b if more_is_better else b / n) - 1 for b, n in zip(before, now)]
            median = statistics.median(gains)
            rows.append([
                store, name, number(statistics.median(before)), number(statistics.median(now)),
                f"{median:+.1%} ({min(gains):+.1%} … {max(gains):+.1%})", "worse" if median < -TOLERANCE else ""])
            if median < -TOLERANCE:
                fell.append((store, name))
    print_table(
        f"This build beside {results['against']}; medians of {results['rounds']} pairs, and the median gain of a pair "
        "(least … greatest)", ["store", "figure", "before", "now", "gain", ""], rows)
    return fell
