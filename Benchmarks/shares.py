"""How two pipelines share the slots of the same workers while jobs of both wait: seconds in which slots ran the jobs of each."""

import json
import sys
import time

from carbontube_client import wire
from lasting import Scene
from machines import ThisMachine
from table import number, print_table

# Workers, slots of each, and how long the jobs of either pipeline last, in milliseconds.
SCENES = [(1, 2, 5, 5), (1, 2, 5, 50), (1, 4, 5, 5), (1, 4, 5, 50), (2, 4, 5, 5), (2, 4, 5, 50)]
FAIR = (0.45, 0.55)


def measure(stores, rounds, jobs):
    results = {"rounds": rounds, "jobs": jobs, "stores": {}}
    for store in stores:
        results["stores"][store] = [[*scene, measure_scene(store, *scene, jobs)] for scene in SCENES for _ in range(rounds)]
    return results


def measure_scene(store, workers, slots, one_ms, two_ms, jobs):
    print(f"{store}: {workers} workers of {slots} slots, jobs of {one_ms} and {two_ms} ms", file=sys.stderr)
    scene = Scene()
    try:
        scene.add_pipelines(store, 2)
        for pipeline, prefix, milliseconds in zip(scene.pipelines, ("one", "two"), (one_ms, two_ms)):
            fill(pipeline, prefix, jobs, milliseconds)
        for _ in range(workers):
            scene.add_worker(ThisMachine(), slots)
        lines, begun = [], {"one": 0, "two": 0}
        while max(begun.values()) < jobs:
            for line in scene.ledger.new_lines():
                lines.append(line)
                begun[line[1].partition("-")[0]] += line[0] == "B"
            time.sleep(0.05)
        return shared(lines)
    finally:
        scene.end()


def fill(pipeline, prefix, count, milliseconds, batch=500):
    instructions = json.dumps({"ms": milliseconds, "told": True}, separators=(",", ":"))
    for first in range(0, count, batch):
        jobs = [(f"{prefix}-{job}", instructions, 0) for job in range(first, min(first + batch, count))]
        answers = wire.Client.enqueue(pipeline.client, jobs)
        assert all(code == 0 for code, _, _ in answers), answers[0]


def shared(lines):
    """Seconds of slots of each pipeline, from when both had begun until one of them began its last job: jobs of both wait."""
    begun, runs = {}, []
    for what, job, _, process, at in lines:
        if what == "B":
            begun[job, process] = at
        elif (job, process) in begun:
            runs.append((job.partition("-")[0], begun.pop((job, process)), at))
    # What still runs when the last line is read has run until then.
    end_of_all = max(at for *_, at in lines)
    runs += [(job.partition("-")[0], at, end_of_all) for (job, _), at in begun.items()]
    firsts, lasts = ([pick(began for name, began, _ in runs if name == side) for side in ("one", "two")] for pick in (min, max))
    start, end = max(firsts), min(lasts)
    seconds = {side: sum(max(0, min(ended, end) - max(began, start)) for name, began, ended in runs if name == side)
               for side in ("one", "two")}
    return seconds | {"of": end - start}


def share(figures):
    """Of the first pipeline."""
    return figures["one"] / (figures["one"] + figures["two"])


def show(results):
    for store, scenes in results["stores"].items():
        print_table(
            f"Two pipelines with {results['jobs']:,} jobs each and the same workers, {store}",
            ["workers × slots", "their jobs, ms", "seconds", "slot seconds of each", "share", f"within {percent(FAIR[0])}"],
            list(rows(scenes)))


def rows(scenes):
    for workers, slots, one_ms, two_ms, figures in scenes:
        part = share(figures)
        yield [f"{workers} × {slots}", f"{one_ms} and {two_ms}", number(figures["of"]),
               f"{number(figures['one'])} and {number(figures['two'])}", percent(part),
               "yes" if FAIR[0] <= part <= FAIR[1] else "no"]


def percent(part):
    return f"{part * 100:.1f} : {(1 - part) * 100:.1f}"
