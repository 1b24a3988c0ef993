"""A client written from docs/wire-protocol.md alone: enqueues COUNT jobs, prints their ids, then the status.

wire_client.py ADDRESS PIPELINE INSTRUCTIONS [COUNT]
"""

import json
import sys
import zlib

import zmq

PROLOGUE = b"CT\x01"
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
        assert frame[:3] == PROLOGUE
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


def main():
    address, pipeline, instructions = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    socket = zmq.Context().socket(zmq.DEALER)
    socket.setsockopt(zmq.RCVTIMEO, 30_000)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(address)

    header = PROLOGUE + bytes([ENQUEUE]) + number(7) + text(pipeline) + number(count)
    header += (text("") + signed(0) + signed(0)) * count
    socket.send_multipart([header] + [payload(instructions)] * count)
    reply = Reader(socket.recv_multipart()[0])
    assert reply.kind == ENQUEUE_REPLY and reply.number() == 7
    refused = 0
    for _ in range(reply.number()):
        code, job, message = reply.byte(), reply.text(), reply.text()
        if code > 1:
            print(message, file=sys.stderr)
            refused += 1
        else:
            print(job)

    socket.send_multipart([PROLOGUE + bytes([REQUEST]) + number(8) + text(pipeline) + text("status"), b"{}"])
    frames = socket.recv_multipart()
    reply = Reader(frames[0])
    assert reply.kind == REPLY and reply.number() == 8 and reply.byte() == 0
    body = zlib.decompress(frames[1]) if frames[1][:1] == b"\x78" else frames[1]
    print(json.dumps([phase["job_type"] for phase in json.loads(body)["phases"]]), file=sys.stderr)
    return 1 if refused else 0


sys.exit(main())
