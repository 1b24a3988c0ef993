"""`growth_plot.py RESULTS.json FOLDER`: a plot of each curve, beside the cost what else the curve is about."""

import json
import os
import statistics
import sys

from matplotlib import pyplot
from style import STORES, save

TOLERANCE = 0.2
AXES = {"queue": "jobs queued", "workers": "worker processes", "phases": "phases of the pipeline",
        "instructions": "bytes of instructions", "concurrency": "concurrency of each of three workers"}
# The curves whose cost must be flat: they get a band.
FLAT = ("queue", "workers")


def cost(figures):
    return figures["cpu_us"]["all"]


def cost_of_server(figures):
    return sum(figures["cpu_us"].get(role, 0) for role in ("coordinator", "redis-server"))


def cost_of_phase_run(figures):
    return cost(figures) / figures["phases"]


def jobs_per_second(figures):
    return figures["jobs_per_s"]


def phase_runs_per_second(figures):
    return figures["jobs_per_s"] * figures["phases"]


def megabytes_per_second(figures):
    return figures["jobs_per_s"] * figures["bytes"] / 1e6


def coordinator_mib(figures):
    return figures["peak_mib"]["coordinator"]


# For each curve its panels: label, figure, whether the axis is logarithmic, and whether it is a cost that may get a band.
COST = ("CPU µs per job, all processes", cost, False, True)
SERVER = ("CPU µs per job, coordinator and redis-server", cost_of_server, False, True)
PANELS = {
    "queue": [COST, SERVER, ("coordinator's peak memory, MiB", coordinator_mib, False, False)],
    "workers": [COST, SERVER, ("coordinator's peak memory, MiB", coordinator_mib, False, False)],
    "phases": [("CPU µs per phase run, all processes", cost_of_phase_run, False, False),
               ("phase runs/s", phase_runs_per_second, False, False)],
    "instructions": [("CPU µs per job, all processes", cost, True, False), ("jobs/s", jobs_per_second, True, False),
                     ("MB/s of instructions", megabytes_per_second, True, False)],
    "concurrency": [COST, ("jobs/s", jobs_per_second, True, False)]}


def draw(axis, points, panel, curve):
    label, figure, logarithmic, may_have_band = panel
    for series in dict.fromkeys(point["series"] for point in points):
        store, _, kind = series.partition(", ")
        own = [point for point in points if point["series"] == series and point["rounds"]]
        if not own:
            continue
        places = [point["x"] for point in own]
        values = [[figure(figures) for figures in point["rounds"]] for point in own]
        middles = [statistics.median(each) for each in values]
        axis.plot(places, middles, "o--" if "sleep" in kind else "o-", color=STORES[store], label=series)
        axis.vlines(places, [min(each) for each in values], [max(each) for each in values], color=STORES[store], linewidth=1)
        if curve in FLAT and may_have_band:
            middle = statistics.median(middles)
            axis.fill_between([places[0], places[-1]], middle * (1 - TOLERANCE), middle * (1 + TOLERANCE), color=STORES[store],
                              alpha=0.1, linewidth=0)
    scale(axis, points, logarithmic)
    axis.set_xlabel(AXES[curve])
    axis.set_title(label, fontsize=10, loc="left", color="#2d3748")


def scale(axis, points, logarithmic):
    axis.set_xscale("log")
    if max(point["x"] for point in points) <= 1_000:
        places = sorted({point["x"] for point in points})
        axis.set_xticks(places, [str(place) for place in places])
    if logarithmic:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:,g}")
    else:
        axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.minorticks_off()


def main(results, folder):
    with open(results) as file:
        curves = json.load(file)["curves"]
    os.makedirs(folder, exist_ok=True)
    for curve, points in curves.items():
        panels = PANELS[curve]
        figure, axes = pyplot.subplots(1, len(panels), figsize=(4.4 * len(panels), 3.4), layout="constrained")
        for axis, panel in zip(axes, panels):
            draw(axis, points, panel, curve)
        axes[0].legend(fontsize=8)
        if curve in FLAT:
            figure.supxlabel("bands: ±20 % around the median of a curve", fontsize=8, color="#718096")
        save(figure, f"{folder}/growth-{curve}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
