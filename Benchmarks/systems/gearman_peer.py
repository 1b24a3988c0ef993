"""gearmand's binary protocol (gearman.org/protocol) without a library: `gearman_peer.py PORT PHASE COUNT_FILE` is a
worker, Client its client.

Workers of phases 1 and 2 submit the next phase as a background job. That of phase 3 counts, and tells a probe by a
datagram: a foreground job would hold the workers of all phases, a function the client serves would be four more packets.
"""

import socket
import struct
import sys

from done_count import DoneCount

CAN_DO, PRE_SLEEP, NOOP, JOB_CREATED, GRAB_JOB, NO_JOB, JOB_ASSIGN, WORK_COMPLETE, SUBMIT_JOB_BG = 1, 4, 6, 8, 9, 10, 11, 13, 18


def packet(kind, *arguments):
    body = b"\0".join(arguments)
    return b"\0REQ" + struct.pack(">II", kind, len(body)) + body


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def next(self):
        while True:
            if len(self.buffer) >= 12:
                kind, length = struct.unpack(">II", self.buffer[4:12])
                if len(self.buffer) >= 12 + length:
                    body = self.buffer[12 : 12 + length]
                    self.buffer = self.buffer[12 + length :]
                    return kind, body
            data = self.socket.recv(1 << 16)
            if not data:
                sys.exit(0)
            self.buffer += data


class Worker:
    def __init__(self, port, phase, count_file):
        self.connection, self.phase, self.count = Connection(port), phase, DoneCount(count_file)
        self.prober = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def run(self):
        self.connection.send(packet(CAN_DO, f"phase{self.phase}".encode()) + packet(GRAB_JOB))
        while True:
            kind, body = self.connection.next()
            if kind == NO_JOB:
                self.connection.send(packet(PRE_SLEEP))
            elif kind == NOOP:
                self.connection.send(packet(GRAB_JOB))
            elif kind == JOB_ASSIGN:
                handle, _, data = body.split(b"\0", 2)
                self.job(data)
                self.connection.send(packet(WORK_COMPLETE, handle, b"") + packet(GRAB_JOB))

    def job(self, data):
        if self.phase < 3:
            self.connection.send(packet(SUBMIT_JOB_BG, f"phase{self.phase + 1}".encode(), b"", data))
            while self.connection.next()[0] != JOB_CREATED:
                pass
        elif b"probe" in data:
            self.prober.sendto(b"1", probe_address(data))
        else:
            self.count.add()


def probe_address(data):
    # Abstract, so that no file is left behind.
    return b"\0carbontube-bench" + data[16:22]


class Client:
    def __init__(self, address):
        self.connection = Connection(address)
        self.probe = b'{"file_path": "/probe", "size": 1}'
        self.answers = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def enqueue(self, count):
        outstanding, job = 0, packet(SUBMIT_JOB_BG, b"phase1", b"", b'{"file_path": "/tmp/x", "size": 1}')
        for start in range(0, count, 100):
            batch = min(100, count - start)
            self.connection.send(job * batch)
            for _ in range(outstanding):
                assert self.connection.next()[0] == JOB_CREATED
            outstanding = batch
        for _ in range(outstanding):
            assert self.connection.next()[0] == JOB_CREATED

    def run_one(self):
        if not self.answers.getsockname():
            self.answers.bind(probe_address(self.probe))
        self.connection.send(packet(SUBMIT_JOB_BG, b"phase1", b"", self.probe))
        assert self.connection.next()[0] == JOB_CREATED
        self.answers.recv(1)


if __name__ == "__main__":
    Worker(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
