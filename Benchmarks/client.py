"""A client of any system under test, in a process of its own so that its work is not the system's.

    client.py MODULE ADDRESS fill COUNT
    client.py MODULE ADDRESS probe COUNT SECONDS
    client.py MODULE ADDRESS produce JOBS_PER_SECOND SECONDS

Prints what it saw as JSON. MODULE has a class Client(address) with `enqueue(count)`, which returns when all are
acknowledged, and `run_one()`, which returns when the last phase of one job has run.
"""

import importlib
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "systems"))


def fill(client, count):
    start = time.perf_counter()
    client.enqueue(int(count))
    return {"seconds": time.perf_counter() - start}


def probe(client, count, seconds):
    times, end = [], time.perf_counter() + float(seconds)
    while len(times) < int(count) and time.perf_counter() < end:
        # A pause of random length, lest the probes keep step with somebody's timer.
        time.sleep(random.uniform(0, 0.002))
        start = time.perf_counter()
        client.run_one()
        times.append((time.perf_counter() - start) * 1000)
    return {"times_ms": times}


def produce(client, rate, seconds):
    """Sends what is due every few milliseconds, whatever the system makes of it."""
    rate, start, sent = float(rate), time.perf_counter(), 0
    while (now := time.perf_counter() - start) < float(seconds):
        due = int(now * rate) - sent
        if due > 0:
            client.enqueue(due)
            sent += due
        time.sleep(0.005)
    return {"jobs": sent, "seconds": time.perf_counter() - start}


def main():
    module, address, action, *arguments = sys.argv[1:]
    client = importlib.import_module(module).Client(address)
    print(json.dumps({"fill": fill, "probe": probe, "produce": produce}[action](client, *arguments)))


if __name__ == "__main__":
    main()
