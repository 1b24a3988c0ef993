"""Clients of the cluster: one that brings the jobs, one that looks at them all the while."""

import collections
import json
import random
import threading
import time

from cluster import wire


class Submitter(threading.Thread):
    """Enqueues jobs with ids of its own and sends each batch again until it is acknowledged."""

    def __init__(self, pipeline, count, seed):
        super().__init__(daemon=True)
        self.pipeline, self.count = pipeline, count
        self.random = random.Random(seed)
        self.acknowledged, self.sent_again = set(), 0

    def run(self):
        client = wire.Client(self.pipeline.address, self.pipeline.name, timeout_ms=3_000)
        for start in range(0, self.count, 50):
            names = [self.pipeline.job(number) for number in range(start, min(start + 50, self.count))]
            batch = [(name, json.dumps({"sleep_ms": self.random.choice([0, 5, 20, 50])}, separators=(",", ":")), 0)
                     for name in names]
            while batch:
                try:
                    answers = client.enqueue(batch)
                except wire.NoAnswer:
                    self.sent_again += 1
                    continue
                done = {job for code, job, _ in answers if code in (0, 1)}
                self.acknowledged |= done
                batch = [item for item in batch if item[0] not in done]
                if batch:
                    self.sent_again += 1
                    time.sleep(0.1)
        client.close()


class Poller(threading.Thread):
    """Asks for counts, states and filtered pages without a pause, as an eager operator's scripts would."""

    def __init__(self, pipeline):
        super().__init__(daemon=True)
        self.pipeline, self.over = pipeline, False
        self.answers = collections.Counter()

    def questions(self):
        while not self.over:
            yield "count", {"error": "no job has these words"}
            yield "count", {"states": ["waiting", "delayed"]}
            yield "states", {"ids": [self.pipeline.job(number) for number in range(1_000)]}
            yield "jobs", {"states": ["dead"], "error": "no job has these words", "limit": 100}
            yield "jobs", {"id_prefix": f"{self.pipeline.name}-00", "limit": 1_000}
            yield "status", {}
            yield "metrics", {}

    def run(self):
        client = wire.Client(self.pipeline.address, self.pipeline.name, timeout_ms=2_000)
        for verb, arguments in self.questions():
            try:
                code, _, _, _ = client.request(verb, **arguments)
                self.answers["answered" if code == 0 else "refused"] += 1
            except wire.NoAnswer:
                self.answers["not answered"] += 1
        client.close()
