"""Answers as a coordinator does that changes many jobs in the background; says on stdout where it listens, then each
verb that it hears.

scripted_coordinator.py [never]: the action is done once it was asked about twice, or never; stop-action stops it.
"""

import json
import sys

import zmq
from wire import PROLOGUE, REPLY, Reader, number, text, unpacked


def main():
    router = zmq.Context.instance().socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    print(f"at tcp://127.0.0.1:{port}", flush=True)
    asked = 0
    while True:
        route, head, arguments = router.recv_multipart()
        reader = Reader(head)
        request, _, verb = reader.number(), reader.text(), reader.text()
        document = {"action": "a1", "verb": "requeue", "state": "running", "changed": 1000, "examined": 4000}
        print(verb, unpacked(arguments).decode(), flush=True)
        if verb == "action":
            asked += 1
            if asked == 2 and sys.argv[1:] != ["never"]:
                document |= {"state": "done", "changed": 2500}
        elif verb == "stop-action":
            document |= {"state": "stopped", "changed": 1200}
        elif verb == "actions":
            document = {"actions": [document, document | {"action": "a0", "state": "failed", "error": "no room"}]}
        elif verb == "ping":
            document = {}
        header = PROLOGUE + bytes([REPLY]) + number(request) + bytes([0]) + text("")
        router.send_multipart([route, header, json.dumps(document).encode()])


main()
