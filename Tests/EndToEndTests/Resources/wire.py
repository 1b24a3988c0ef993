"""The client's side of docs/wire-protocol.md in plain Python, written from that page."""

import json
import zlib

import zmq

PROLOGUE = b"CT\x02"
ENQUEUE, REQUEST, ENQUEUE_REPLY, REPLY = 64, 65, 80, 81


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    return number((value << 1) ^ (value >> 63))


def text(value):
    data = value.encode()
    return number(len(data)) + data


class Reader:
    def __init__(self, frame):
        assert frame[:3] == PROLOGUE, frame
        self.kind, self.frame, self.at = frame[3], frame, 4

    def byte(self):
        self.at += 1
        return self.frame[self.at - 1]

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self):
        length = self.number()
        self.at += length
        return self.frame[self.at - length : self.at].decode()


def payload(json_text):
    data = json_text.encode()
    return zlib.compress(data) if len(data) >= 1024 else data


def unpacked(frame):
    return zlib.decompress(frame) if frame[:1] == b"\x78" else frame


class NoAnswer(Exception):
    """The coordinator did not answer in time: what was asked may be done or not."""


class Client:
    """One connection, one request at a time."""

    def __init__(self, address, pipeline, timeout_ms=30_000):
        self.pipeline, self.last = pipeline, 0
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.RCVTIMEO, timeout_ms)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(address)

    def close(self):
        self.socket.close()

    def _ask(self, header, payloads, kind):
        self.last += 1
        self.socket.send_multipart([header(self.last)] + payloads)
        while True:
            try:
                frames = self.socket.recv_multipart()
            except zmq.Again:
                raise NoAnswer() from None
            reply = Reader(frames[0])
            # An answer to a request that was given up.
            if reply.kind == kind and reply.number() == self.last:
                return reply, frames[1:]

    def enqueue(self, jobs, delay_ms=0):
        """jobs: (id or "", instructions, priority) each; returns (code, id, message) each."""

        def header(request):
            heads = b"".join(text(job) + signed(priority) + number(delay_ms) for job, _, priority in jobs)
            return PROLOGUE + bytes([ENQUEUE]) + number(request) + text(self.pipeline) + number(len(jobs)) + heads

        reply, _ = self._ask(header, [payload(instructions) for _, instructions, _ in jobs], ENQUEUE_REPLY)
        return [(reply.byte(), reply.text(), reply.text()) for _ in range(reply.number())]

    def request(self, verb, **arguments):
        """Returns the code, the message, the document and the payloads after it."""

        def header(request):
            return PROLOGUE + bytes([REQUEST]) + number(request) + text(self.pipeline) + text(verb)

        reply, frames = self._ask(header, [payload(json.dumps(arguments))], REPLY)
        return reply.byte(), reply.text(), json.loads(unpacked(frames[0])), frames[1:]
