"""`comparison_plot.py RESULTS.json PLOT.svg`: jobs/s of every system, and the latency of one job beside it."""

import json
import statistics
import sys

from matplotlib import pyplot
from style import LIMIT, OWN, PEER, save


def medians(rounds, key):
    values = [figures[key] for figures in rounds if key in figures]
    if not values:
        return None
    if isinstance(values[0], list):
        return [statistics.median(each) for each in zip(*values)]
    return statistics.median(values), min(values), max(values)


def color(name):
    return OWN if name.startswith("CarbonTube") else LIMIT if name.startswith("limit") else PEER


def draw_rates(axis, entries):
    for place, (name, rounds) in enumerate(entries):
        middle, least, greatest = medians(rounds, "jobs_per_s")
        axis.barh(place, middle, color=color(name), height=0.66)
        axis.plot([least, greatest], [place, place], color="#1a202c", linewidth=1)
        axis.text(greatest * 1.12, place, f"{middle:,.0f}", va="center", fontsize=9)
    axis.set_xscale("log")
    axis.set_xlim(left=10, right=axis.get_xlim()[1] * 4)
    axis.set_xlabel("jobs/s through three no-op phases")
    axis.set_yticks(range(len(entries)), [name for name, _ in entries])


def draw_latency(axis, entries):
    for place, (name, rounds) in enumerate(entries):
        for offset, key, filled in ((-0.16, "idle_ms", True), (0.16, "loaded_ms", False)):
            figures = medians(rounds, key)
            if figures:
                axis.plot(figures[:2], [place + offset] * 2, color=color(name), linewidth=2.5, alpha=1 if filled else 0.6)
                axis.plot(figures[0], place + offset, "o", color=color(name), markerfacecolor=color(name) if filled else "white")
    axis.set_xscale("log")
    axis.set_xlabel("latency of one job, ms: p50 to p99\n(full dot: at idle, hollow: at 50 % load)")
    axis.xaxis.set_major_formatter("{x:g}")


def main(results, path):
    with open(results) as file:
        document = json.load(file)
    entries = list((document["systems"] | document["limits"]).items())
    figure, (rates, latency) = pyplot.subplots(
        1, 2, figsize=(10, 0.42 * len(entries) + 1), sharey=True, gridspec_kw={"width_ratios": [3, 2], "wspace": 0.06})
    draw_rates(rates, entries)
    draw_latency(latency, entries)
    rates.invert_yaxis()
    for axis in (rates, latency):
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
    save(figure, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
