"""gearmand's binary protocol (gearman.org/protocol) without a library: worker N, or client.

Workers of phases 1 and 2 submit the next phase as a background job; that of phase 3 counts.
"""

import socket
import struct
import sys


def packet(kind, *arguments, magic=b"\0REQ"):
    body = b"\0".join(arguments)
    return magic + struct.pack(">II", kind, len(body)) + body


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
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


CAN_DO, PRE_SLEEP, NOOP, JOB_CREATED, GRAB_JOB, NO_JOB, JOB_ASSIGN, WORK_COMPLETE, SUBMIT_JOB_BG = 1, 4, 6, 8, 9, 10, 11, 13, 18


def work(port, phase):
    connection = Connection(port)
    done = 0
    connection.send(packet(CAN_DO, f"phase{phase}".encode()) + packet(GRAB_JOB))
    while True:
        kind, body = connection.next()
        if kind == NO_JOB:
            connection.send(packet(PRE_SLEEP))
        elif kind == NOOP:
            connection.send(packet(GRAB_JOB))
        elif kind == JOB_ASSIGN:
            handle, _, data = body.split(b"\0", 2)
            if phase < 3:
                connection.send(packet(SUBMIT_JOB_BG, f"phase{phase + 1}".encode(), b"", data))
                while connection.next()[0] != JOB_CREATED:
                    pass
            else:
                done += 1
                print(done, flush=True)
            connection.send(packet(WORK_COMPLETE, handle, b"") + packet(GRAB_JOB))


def submit(port, count, body):
    connection = Connection(port)
    outstanding = 0
    for _ in range(count):
        connection.send(packet(SUBMIT_JOB_BG, b"phase1", b"", body))
        outstanding += 1
        if outstanding >= 100:
            connection.next()
            outstanding -= 1
    for _ in range(outstanding):
        connection.next()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        work(int(sys.argv[2]), int(sys.argv[3]))
    else:
        submit(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode())
