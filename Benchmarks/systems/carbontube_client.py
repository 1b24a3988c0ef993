"""A client of CarbonTube, over the wire protocol of docs/wire-protocol.md."""

import json
import os
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "Tests/EndToEndTests/Resources"))
import wire  # noqa: E402

INSTRUCTIONS = b'{"file_path": "/tmp/x", "size": 1}'
ONE = wire.text("") + wire.signed(0) + wire.number(0)


class Refused(Exception):
    """The coordinator would not take a job."""


class Client(wire.Client):
    def __init__(self, address, protocol=None):
        super().__init__(address, "no-op", timeout_ms=120_000)
        # What clients say is the same in both: so builds of before and after can be compared.
        wire.PROLOGUE = b"CT" + bytes([protocol or int(os.environ.get("BENCH_PROTOCOL", "2"))])
        self.run = f"probe-{os.getpid()}"

    def enqueue(self, count, body=INSTRUCTIONS, window=8, batch=500):
        """Several requests of several jobs under way. The body is compressed once: the client is not what is measured."""
        body = zlib.compress(body) if len(body) >= 1024 else body
        sent = outstanding = 0
        refused = None
        while outstanding or (sent < count and not refused):
            while outstanding < window and sent < count and not refused:
                size = min(batch, count - sent)
                self.socket.send_multipart([self._enqueue_header(ONE, size)] + [body] * size)
                sent, outstanding = sent + size, outstanding + 1
            reply = wire.Reader(self.socket.recv_multipart()[0])
            reply.number(), reply.number()
            outstanding -= 1
            # The first answer of a request stands for all: one turn stores them.
            code, _, message = reply.byte(), reply.text(), reply.text()
            refused = refused or (f"enqueueing was refused with code {code}: {message}" if code else None)
        if refused:
            raise Refused(refused)

    def run_one(self):
        """The question goes out at once behind the job: it is answered when the job has ended."""
        job = f"{self.run}-{self.last}"
        self.socket.send_multipart([self._enqueue_header(wire.text(job) + wire.signed(0) + wire.number(0), 1), INSTRUCTIONS])
        self.last += 1
        self.socket.send_multipart([
            wire.PROLOGUE + bytes([wire.REQUEST]) + wire.number(self.last) + wire.text(self.pipeline) + wire.text("await"),
            wire.payload(json.dumps({"id": job}))])
        enqueued = wire.Reader(self.socket.recv_multipart()[0])
        assert (enqueued.number(), enqueued.number(), enqueued.byte()) == (self.last - 1, 1, 0)
        header, document, *_ = self.socket.recv_multipart()
        ended = wire.Reader(header)
        assert (ended.number(), ended.byte(), json.loads(document)["state"]) == (self.last, 0, "succeeded")

    def _enqueue_header(self, heads, count):
        self.last += 1
        return (wire.PROLOGUE + bytes([wire.ENQUEUE]) + wire.number(self.last) + wire.text(self.pipeline) + wire.number(count)
                + heads * count)
