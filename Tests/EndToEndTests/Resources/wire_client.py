"""Enqueues COUNT jobs, prints their ids, then asks for the status.

wire_client.py ADDRESS PIPELINE INSTRUCTIONS [COUNT]
"""

import json
import sys

from wire import Client


def main():
    address, pipeline, instructions = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    client = Client(address, pipeline)
    refused = 0
    for code, job, message in client.enqueue([("", instructions, 0)] * count):
        if code > 1:
            print(message, file=sys.stderr)
            refused += 1
        else:
            print(job)
    code, message, status, _ = client.request("status")
    assert code == 0, message
    print(json.dumps([phase["job_type"] for phase in status["phases"]]), file=sys.stderr)
    return 1 if refused else 0


sys.exit(main())
