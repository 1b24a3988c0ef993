"""Answers `jobs` as a coordinator does that has 450 of them: job-1 is the newest and changed one minute ago, job-2 two,
and so on. Says on stdout where it listens.
"""

import json
import time

import zmq
from wire import PROLOGUE, REPLY, Reader, number, text, unpacked

COUNT = 450
BEGIN = int(time.time() * 1000)


def job(index):
    at = BEGIN - index * 60_000
    return {
        "id": f"job-{index}", "state": "dead", "phase": 0, "job_type": "x", "priority": 0, "attempt": 1, "failures": 1,
        "crashes": 0, "enqueued_at_ms": at, "updated_at_ms": at, "attempts": [],
    }


def is_meant(found, asked):
    return asked.get("since_ms", 0) <= found["updated_at_ms"] <= asked.get("until_ms", found["updated_at_ms"])


def main():
    router = zmq.Context.instance().socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    print(f"at tcp://127.0.0.1:{port}", flush=True)
    while True:
        route, head, arguments = router.recv_multipart()
        reader = Reader(head)
        request, _, verb = reader.number(), reader.text(), reader.text()
        asked = json.loads(unpacked(arguments))
        document, payloads = {}, []
        if verb == "jobs":
            first = int(asked.get("cursor", 1))
            end = min(first + asked["limit"], COUNT + 1)
            document = {"jobs": [found for found in map(job, range(first, end)) if is_meant(found, asked)]}
            payloads = [b"{}"] * len(document["jobs"])
            if end <= COUNT:
                document["next"] = str(end)
        elif verb == "count":
            document = {"count": sum(is_meant(job(index), asked) for index in range(1, COUNT + 1))}
        elif verb in ("cancel", "requeue", "delete"):
            done = {"cancel": "cancelled", "requeue": "requeued", "delete": "deleted"}[verb]
            document = {done: sum(is_meant(job(index), asked) for index in range(1, COUNT + 1))}
        header = PROLOGUE + bytes([REPLY]) + number(request) + bytes([0]) + text("")
        router.send_multipart([route, header, json.dumps(document).encode()] + payloads)


main()
