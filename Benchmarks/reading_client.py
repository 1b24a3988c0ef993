"""A client that looks at the jobs of a busy pipeline without a pause, in a process of its own, until it is ended.

    reading_client.py count|filter|prefix|states ADDRESS
    reading_client.py page HTTP_ADDRESS PIPELINE

Prints, as JSON when it gets SIGTERM, how often it was answered, how often it heard "busy", and the longest wait. `page` does
what an open page does: it follows the live feed, and asks for the newest jobs once a second.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Tests/EndToEndTests/Resources"))
import wire  # noqa: E402

BUSY = 2
QUESTIONS = {
    # Matches nothing, so that all jobs are looked at.
    "count": ("count", {"error": "no job has these words"}),
    "filter": ("jobs", {"states": ["dead"], "error": "no job has these words", "limit": 100}),
    "prefix": ("count", {"id_prefix": "no-job-begins-so"}),
    "states": ("states", {"ids": [f"job-{number}" for number in range(1_000)]}),
}


class Record:
    def __init__(self):
        self.answered = self.busy = 0
        self.longest_s = 0.0

    def note(self, begun, busy):
        self.busy += busy
        self.answered += not busy
        self.longest_s = max(self.longest_s, time.monotonic() - begun)


def ask(kind, address, record):
    verb, arguments = QUESTIONS[kind]
    client = wire.Client(address, "no-op", timeout_ms=60_000)
    while True:
        begun = time.monotonic()
        code, message, document, _ = client.request(verb, **arguments)
        assert code in (0, BUSY), f"{verb}: {code} {message}"
        while code == 0 and document.get("state") == "running":
            time.sleep(0.1)
            code, message, document, _ = client.request("action", id=document["action"])
        record.note(begun, code == BUSY)
        if code == BUSY:
            time.sleep(0.05)


def page(address, pipeline, record):
    threading.Thread(target=follow, args=[f"{address}/api/v1/events"], daemon=True).start()
    while True:
        begun = time.monotonic()
        try:
            urllib.request.urlopen(f"{address}/api/v1/pipelines/{pipeline}/jobs?limit=50", timeout=60).read()
            record.note(begun, False)
        except urllib.error.HTTPError as error:
            assert error.code == 503, error
            record.note(begun, True)
        time.sleep(1)


def follow(address):
    with urllib.request.urlopen(address) as feed:
        for _ in feed:
            pass


def main():
    kind, *arguments = sys.argv[1:]
    record = Record()

    def end(*_):
        print(json.dumps({"kind": kind} | vars(record)), flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    page(*arguments, record) if kind == "page" else ask(kind, *arguments, record)


if __name__ == "__main__":
    main()
