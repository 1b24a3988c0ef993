"""The worker's side of docs/wire-protocol.md, moved by hand: nothing is sent unless it is told to, so that two runs put
the same messages into the same turns of the coordinator."""

import os
import time

import zmq
from carbontube_client import wire

ANNOUNCEMENT, WELCOME, JOBS, RESULTS, ACKNOWLEDGEMENT = 1, 16, 17, 32, 48
SUCCEEDED = 1
PLUGIN = "0123456789ab"
PATIENCE_MS = 60_000


class Silence(Exception):
    """The coordinator did not send what it owes."""


class ScriptedWorker:
    def __init__(self, phase, events_address, folder):
        context = zmq.Context.instance()
        self.phase, self.name = phase, f"scripted-{phase}"
        self.address = f"ipc://{folder}/{phase}"
        self.orders, self.events, self.results = context.socket(zmq.PULL), context.socket(zmq.PUB), context.socket(zmq.DEALER)
        for socket in (self.orders, self.events, self.results):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        self.orders.bind(self.address)
        self.events.connect(events_address)
        # Jobs in hand, oldest first: (id, token).
        self.held = []

    def close(self):
        for socket in (self.orders, self.events, self.results):
            socket.close()

    def announce(self):
        self.events.send(
            wire.PROLOGUE + bytes([ANNOUNCEMENT]) + wire.text(self.name) + wire.text(self.address) + wire.text(self.phase)
            + wire.text("localhost") + wire.number(os.getpid()) + wire.number(1) + bytes([1]) + wire.number(0) + wire.number(0)
            + wire.text(PLUGIN) + wire.text("libNoOp.so") + wire.number(len(self.held))
            + b"".join(wire.number(token) for _, token in self.held) + wire.text(""))

    def join(self):
        """Announces itself until it is welcome: a coordinator that has not subscribed yet misses announcements."""
        give_up = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < give_up:
            self.announce()
            if self.orders.poll(100):
                self._welcomed(wire.Reader(self.orders.recv_multipart()[0]))
                return
        raise Silence(f"no welcome for {self.name}")

    def _welcomed(self, header):
        assert header.kind == WELCOME, header.kind
        for _ in range(3):
            header.text()
        self.results.connect(header.text())

    def take(self, count):
        """Waits until it holds `count` jobs."""
        while len(self.held) < count:
            header = wire.Reader(received(self.orders, f"{self.name} waits for jobs")[0])
            assert header.kind == JOBS, header.kind
            header.text(), header.text()
            for _ in range(header.number()):
                job, token = header.text(), header.number()
                # Attempt, time limit, and whether it was lost before.
                _ = header.number(), header.number(), header.number()
                self.held.append((job, token))

    def report(self):
        """All that it holds as succeeded, without a result, in one message."""
        began = int(time.time() * 1000)
        reports = b"".join(
            wire.text(job) + wire.number(token) + bytes([SUCCEEDED]) + wire.signed(began) + wire.number(5) + bytes([0])
            + wire.number(0) + wire.text(PLUGIN) + bytes([0])
            for job, token in self.held)
        self.results.send(wire.PROLOGUE + bytes([RESULTS]) + wire.text(self.name) + wire.text("no-op")
                          + wire.number(len(self.held)) + reports)

    def await_acknowledgement(self):
        settled = set()
        owed = {token for _, token in self.held}
        while settled != owed:
            header = wire.Reader(received(self.results, f"{self.name} waits for its acknowledgement")[0])
            assert header.kind == ACKNOWLEDGEMENT, header.kind
            settled |= {header.number() for _ in range(header.number())}
        self.held = []


def received(socket, what):
    try:
        return socket.recv_multipart()
    except zmq.Again:
        raise Silence(what) from None
