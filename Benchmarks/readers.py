"""What looking costs: a pipeline at work with many jobs in its store, by turns alone and beside a page and four clients that
count and filter without a pause."""

import json
import statistics
import subprocess
import sys
import urllib.request

from carbontube import CarbonTube
from growth import WINDOW, run_behind
from measurement import Progress
from reading_client import QUESTIONS
from system import HERE, ROOT
from table import number, print_table, spread


def measure(stores, rounds, seconds, queued):
    """Each side of a pair lasts for so many seconds."""
    results = {"rounds": rounds, "queued": queued, "seconds": seconds, "stores": {}}
    for store in stores:
        system = CarbonTube(store)
        try:
            system.start()
            print(f"{store}: filling with {queued:,} jobs", file=sys.stderr)
            run_behind(system, queued, WINDOW)
            results["stores"][store] = [pair(system, seconds, queued, turn) for turn in range(rounds)]
        finally:
            system.end()
    return results


def pair(system, seconds, queued, turn):
    print(f"{system.store}: round {turn + 1}", file=sys.stderr)
    figures = {}
    for side in ("alone", "read")[:: 1 if turn % 2 else -1]:
        readers = Readers(system) if side == "read" else None
        try:
            figures[side] = run_behind(system, queued, WINDOW, seconds)
            print(f"{side}: {number(figures[side]['jobs_per_s'])} jobs/s", file=sys.stderr)
        finally:
            if readers:
                figures["readers"] = readers.end()
    return figures


class Readers:
    """The page's server is no part of the pipeline, but of what looking at it costs."""

    def __init__(self, system):
        self.system = system
        self.web = subprocess.Popen(
            [f"{ROOT}/bin/carbontube", "web", "--pipeline", system.address, "--bind", "127.0.0.1:0", "--log-level=error"],
            stdout=subprocess.PIPE, text=True)
        address = next(word for word in self.web.stdout.readline().split() if word.startswith("http://")).rstrip("/")
        self.clients = [self._client(kind, system.address) for kind in QUESTIONS]
        self.clients.append(self._client("page", address, "no-op"))
        self._await_page(address)

    def _client(self, *arguments):
        return subprocess.Popen(
            [sys.executable, f"{HERE}/reading_client.py", *arguments], stdout=subprocess.PIPE, text=True)

    def _await_page(self, address):
        Progress(lambda: self._ready(address)).until(bool, 0.05)

    @staticmethod
    def _ready(address):
        try:
            return urllib.request.urlopen(f"{address}/readyz", timeout=5).status == 200
        except OSError:
            return False

    def end(self):
        told = []
        for client in self.clients:
            client.terminate()
            told.append(json.loads(client.communicate(timeout=90)[0]))
        self.web.terminate()
        self.web.wait()
        return told


def show(results):
    for store, pairs in results["stores"].items():
        alone, read = ([figures[side]["jobs_per_s"] for figures in pairs] for side in ("alone", "read"))
        change = statistics.median(r / a for a, r in zip(alone, read)) - 1
        print_table(
            f"{results['queued']:,} jobs in {store}; medians of {results['rounds']} pairs of {results['seconds']:.0f} s (least–greatest)",
            ["", "jobs/s", "CPU µs per job"],
            [["alone", spread(alone), cpu(pairs, "alone")],
             ["beside a page and four readers", spread(read), cpu(pairs, "read")],
             ["median change of a pair", f"{change:+.1%}", ""]])
        print_table("What the readers got", ["reader", "answered", "busy", "longest wait, s"], readers_rows(pairs))


def cpu(pairs, side):
    return spread([figures[side]["cpu_us"]["all"] for figures in pairs])


def readers_rows(pairs):
    for kind in [told["kind"] for told in pairs[0]["readers"]]:
        of_kind = [told for figures in pairs for told in figures["readers"] if told["kind"] == kind]
        yield [kind, f"{sum(told['answered'] for told in of_kind):,}", f"{sum(told['busy'] for told in of_kind):,}",
               number(max(told["longest_s"] for told in of_kind))]
