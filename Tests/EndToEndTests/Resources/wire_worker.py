"""The worker's side of docs/wire-protocol.md in plain Python, written from that page. As a program it runs COUNT jobs of one
phase, each of which gets a member "ran_by", says the id of each, and leaves.

wire_worker.py MEETING JOB_TYPE COUNT [NAME]
"""

import os
import random
import sys
import time

import zmq
from wire import PROLOGUE, Reader, number, payload, signed, text, unpacked

WELCOME, JOBS, CANCEL, RECALL, DRAIN, DEMAND, REFUSED, ACKNOWLEDGEMENT, BEGIN = 16, 17, 18, 19, 20, 21, 22, 48, 49
RESULTS, BEGAN, HELLO, GOODBYE, CREDIT = 32, 33, 34, 35, 36
SERVING = 1
SUCCEEDED, HANDED_BACK = 1, 9
PLUGIN = "0123456789ab"
TOPIC = b"CTA\x02"


class Refused(Exception):
    """The coordinator gives this worker no jobs."""


class Silence(Exception):
    """The coordinator did not send what it owes."""


def find(meeting, timeout_ms=60_000):
    """The address of the first coordinator that is found at `meeting`."""
    socket = zmq.Context.instance().socket(zmq.XPUB)
    socket.setsockopt(zmq.RCVTIMEO, timeout_ms)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(meeting)
    try:
        while True:
            frame = socket.recv()
            if frame[:1] == b"\x01" and frame[1:5] == TOPIC:
                address = frame[5:].decode()
                for wildcard in ("tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"):
                    if address.startswith(wildcard):
                        address = meeting[: meeting.rindex(":") + 1] + address[len(wildcard) :]
                return address
    except zmq.Again:
        raise Silence(f"no coordinator at {meeting}") from None
    finally:
        socket.close()


class Worker:
    """Serves one coordinator. Nothing is sent unless it is told to, except hellos while it waits."""

    def __init__(self, name, job_type, address, timeout_ms=60_000):
        self.name, self.job_type, self.timeout_ms = name, job_type, timeout_ms
        self.instance = random.randrange(1, 1 << 64)
        self.pipeline = None
        # Tokens of jobs: (id, instructions); those that were lost before wait in `held_back` for a word.
        self.held, self.held_back = {}, {}
        self.credit, self.acknowledged, self.waiting = (0, 0), 0, 0
        self.said_hello = 0.0
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)
        self.socket.setsockopt(zmq.SNDTIMEO, timeout_ms)
        self.socket.setsockopt(zmq.LINGER, 1_000)
        self.socket.connect(address)

    def close(self):
        self.socket.close()

    def send(self, kind, fields, *payloads):
        self.socket.send_multipart([PROLOGUE + bytes([kind]) + fields, *payloads])

    def say_hello(self):
        self.said_hello = time.monotonic()
        tokens = [*self.held, *self.held_back]
        self.send(
            HELLO,
            text(self.name) + number(self.instance) + number(0) + text(self.job_type) + text("localhost") + number(os.getpid())
            + number(1) + bytes([SERVING]) + number(0) + number(0) + text(PLUGIN) + text("wire_worker.py") + number(len(tokens))
            + b"".join(map(number, tokens)) + text("") + bytes([0]) + self._credit())

    def _credit(self):
        return number(self.credit[0]) + number(self.credit[1])

    def lend(self, jobs):
        """From now on so many jobs may be here at a time."""
        self.credit = (self.credit[0] + 1, jobs)
        self.send(CREDIT, text(self.name) + self._credit())

    def join(self, jobs):
        """Says hello until it is welcome, then lends places for so many jobs and waits until that counts."""
        self.say_hello()
        self.receive_until(lambda: self.pipeline is not None, "a welcome")
        self.lend(jobs)
        self.receive_until(lambda: self.acknowledged == self.credit[0], "its credit")

    def receive_until(self, holds, what):
        give_up = time.monotonic() + self.timeout_ms / 1000
        while not holds():
            if time.monotonic() > give_up:
                raise Silence(f"{self.name} waits for {what}")
            self.say_hello_if_due()
            if self.socket.poll(100):
                self.follow(self.socket.recv_multipart())

    def say_hello_if_due(self):
        if time.monotonic() - self.said_hello >= 1:
            self.say_hello()

    def follow(self, frames):
        header = Reader(frames[0])
        if header.kind in (ACKNOWLEDGEMENT, BEGIN):
            return self.settle(header) if header.kind == ACKNOWLEDGEMENT else self.begin(header)
        if header.text() != self.name:
            return None
        if header.kind == WELCOME:
            _, _, self.pipeline, _ = header.text(), header.number(), header.text(), header.number()
        elif header.kind == REFUSED:
            raise Refused(f"{header.byte()} {header.text()}")
        elif header.kind == DEMAND:
            self.waiting, self.acknowledged = header.number(), header.number()
        elif header.kind == JOBS:
            self.accept(header, frames[1:])
        elif header.kind in (CANCEL, RECALL):
            tokens = [header.number() for _ in range(header.number())]
            here = [token for token in tokens if token in self.held or token in self.held_back]
            if header.kind == CANCEL:
                self.forget(here)
            else:
                self.report(here, HANDED_BACK)

    def accept(self, header, payloads):
        header.text()
        for frame in payloads[: header.number()]:
            job, token, _, _, was_lost = header.text(), header.number(), header.number(), header.number(), header.byte()
            (self.held_back if was_lost else self.held)[token] = (job, unpacked(frame).decode())
        assert header.number() <= self.acknowledged
        if self.held_back:
            self.send(BEGAN, text(self.name) + number(len(self.held_back)) + b"".join(map(number, self.held_back)))

    def begin(self, header):
        for token in [header.number() for _ in range(header.number())]:
            if token in self.held_back:
                self.held[token] = self.held_back.pop(token)

    def settle(self, header):
        self.forget([header.number() for _ in range(header.number())])

    def forget(self, tokens):
        for token in tokens:
            self.held.pop(token, None)
            self.held_back.pop(token, None)

    def report(self, tokens, outcome=SUCCEEDED, results=None):
        """How these ended, all in one message; `results` has the new instructions of those that have any."""
        results = results or {}
        began = 0 if outcome == HANDED_BACK else int(time.time() * 1000)
        reports = b"".join(
            text((self.held.get(token) or self.held_back[token])[0]) + number(token) + bytes([outcome]) + signed(began)
            + number(5) + bytes([1 if token in results else 0]) + number(0) + text(PLUGIN) + bytes([0])
            for token in tokens)
        self.send(RESULTS, text(self.name) + text(self.pipeline) + number(len(tokens)) + reports,
                  *[payload(results[token]) for token in tokens if token in results])

    def say_goodbye(self):
        self.send(GOODBYE, text(self.name) + text("it has done its part"))


def with_member(instructions, member):
    """`member` behind the last one; every byte that was there stays."""
    open_object = instructions.rstrip()[:-1]
    return open_object + ("" if open_object.strip() == "{" else ",") + member + "}"


def main():
    meeting, job_type, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    worker = Worker(sys.argv[4] if len(sys.argv) > 4 else f"python-{os.getpid()}", job_type, find(meeting))
    try:
        worker.join(jobs=1)
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 1
    for last in [False] * (count - 1) + [True]:
        worker.receive_until(lambda: worker.held, "a job")
        if last:
            # So that none comes once this one has ended.
            worker.lend(0)
            worker.receive_until(lambda: worker.acknowledged == worker.credit[0], "its credit")
        assert len(worker.held) + len(worker.held_back) == 1, "more than was lent"
        ((token, (job, instructions)),) = worker.held.items()
        worker.report([token], results={token: with_member(instructions, '"ran_by":"python"')})
        worker.receive_until(lambda: token not in worker.held, "an acknowledgement")
        print(job, flush=True)
    worker.say_goodbye()
    worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
