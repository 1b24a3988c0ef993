"""How long a fault holds a job up: from kill -9 of the worker that runs it, or from the moment that worker's machine is cut off,
until another worker begins the job."""

import os
import random
import sys
import threading
import time

from lasting import Scene
from machines import Machine, ThisMachine
from measurement import percentiles
from processes import kill_family
from table import number, print_table

WORKERS, SLOTS = 4, 2
# Longer than from its beginning to the fault.
JOB_MS = 500
OTHER_JOBS_MS = 20
KILLED, CUT_OFF = 0.5, 2.0


def kill_worker(worker):
    worker.program.kill()


def kill_with_children(worker):
    kill_family(worker.program)


def cut_off(worker):
    worker.machine.cut_off()


# What happens to the worker, and within what time its job is to begin elsewhere: 99 of 100.
FAULTS = {
    "worker killed, its children as well": (kill_with_children, KILLED),
    "worker killed alone": (kill_worker, KILLED),
    "machine cut off": (cut_off, CUT_OFF),
}
# How many pipelines the workers serve, and of which of them jobs of 20 ms wait all the while.
SCENES = {"idle": (1, None), "busy": (1, 0), "shared": (2, 1)}
WORDS = {"idle": "nothing else runs", "busy": f"jobs of {OTHER_JOBS_MS} ms wait",
         "shared": f"jobs of {OTHER_JOBS_MS} ms of another pipeline wait"}


def measure(stores, rounds, cuts, scenes):
    results = {"rounds": rounds, "cuts": cuts, "stores": {}}
    for store in stores:
        for scene in scenes:
            results["stores"].setdefault(store, {})[scene] = measure_scene(store, scene, rounds, cuts)
    return results


def measure_scene(store, name, rounds, cuts):
    pipelines, busy = SCENES[name]
    machines = [Machine(index) for index in range(WORKERS)] if os.geteuid() == 0 else [ThisMachine()] * WORKERS
    scene = Scene()
    try:
        scene.add_pipelines(store, pipelines)
        for machine in machines:
            scene.add_worker(machine, SLOTS)
        with KeptBusy(scene.pipelines[busy] if busy is not None else None):
            return {words: [one(scene, words, index) for index in range(cuts if fault is cut_off else rounds)]
                    for words, (fault, _) in FAULTS.items() if fault is not cut_off or os.geteuid() == 0}
    finally:
        scene.end()
        for machine in machines:
            machine.remove()


class KeptBusy:
    """So many jobs wait in a pipeline that its workers are never without one."""

    def __init__(self, pipeline):
        self.pipeline, self.is_over = pipeline, threading.Event()
        self.thread = threading.Thread(target=self._fill, daemon=True)

    def __enter__(self):
        if self.pipeline:
            self.client = self.pipeline.connect()
            self.thread.start()

    def _fill(self):
        while not self.is_over.wait(0.1):
            code, _, status, _ = self.client.request("status")
            missing = 500 - status["phases"][0]["waiting"]
            if missing > 0:
                self.pipeline.fill(self.client, missing, OTHER_JOBS_MS)

    def __exit__(self, *_):
        self.is_over.set()
        if self.pipeline:
            self.thread.join()
            self.client.close()


def one(scene, words, index):
    """Seconds from the fault until the job begins elsewhere."""
    for attempt in range(100):
        if seconds := tried(scene, words, f"{words.replace(' ', '-').replace(',', '')}-{index}-{attempt}"):
            print(f"{words}: round {index + 1}, {seconds * 1000:.0f} ms", file=sys.stderr)
            return seconds
    raise RuntimeError(f"{words}: jobs of {JOB_MS} ms end before the fault; this machine has too much else to do")


def tried(scene, words, job):
    """None where the job had ended before the fault was there."""
    scene.await_workers()
    scene.pipelines[0].enqueue(job, JOB_MS, priority=7)
    _, process, _ = scene.ledger.next_line(job)
    worker = scene.worker_of(process)
    # The fault keeps no step with anybody's timer.
    time.sleep(random.uniform(0, 0.1))
    fault = FAULTS[words][0]
    at = time.time()
    fault(worker)
    # Whatever ended while the fault was made may have been reported.
    began = begun_elsewhere(scene.ledger, job, after=time.time())
    worker.machine.rejoin() if fault is cut_off else scene.replace(worker)
    return began and began - at


def begun_elsewhere(ledger, job, after):
    """When another worker began the job, once it has ended there. Where its machine is cut off it ends on that one as well."""
    while True:
        what, process, at = ledger.next_line(job)
        if what == "E" and at < after:
            return None
        if what == "B":
            while ledger.next_line(job)[:2] != ("E", process):
                pass
            return at


def show(results):
    for store, scenes in results["stores"].items():
        print_table(
            f"Milliseconds until another worker begins the job, {store}",
            ["what happened", "beside it", "rounds", "p50", "p90", "p99", "longest", "p99 to reach"], list(rows(scenes)))


def rows(scenes):
    for scene, faults in scenes.items():
        for words, times in faults.items():
            figures = percentiles(times, (0.5, 0.9, 0.99)) + [max(times)]
            wanted = FAULTS[words][1]
            yield [words, WORDS[scene], f"{len(times):,}", *[number(seconds * 1000) for seconds in figures],
                   f"{number(wanted * 1000)}: {'yes' if figures[2] <= wanted else 'no'}"]
