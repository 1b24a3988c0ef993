"""beanstalkd's protocol without a library: worker N, or client. Workers put the next phase, then delete."""

import socket
import sys


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def ask(self, data):
        self.socket.sendall(data)
        return self.file.readline().split()

    def body(self, length):
        return self.file.read(length + 2)[:-2]


def put(body):
    return b"put 0 0 60 %d\r\n%b\r\n" % (len(body), body)


def work(port, phase):
    connection = Connection(port)
    connection.ask(b"watch phase%d\r\n" % phase)
    connection.ask(b"ignore default\r\n")
    if phase < 3:
        connection.ask(b"use phase%d\r\n" % (phase + 1))
    done = 0
    while True:
        answer = connection.ask(b"reserve\r\n")
        body = connection.body(int(answer[2]))
        if phase < 3:
            connection.ask(put(body))
        else:
            done += 1
            print(done, flush=True)
        connection.ask(b"delete %b\r\n" % answer[1])


def submit(port, count, body):
    connection = Connection(port)
    connection.ask(b"use phase1\r\n")
    for start in range(0, count, 100):
        batch = min(100, count - start)
        connection.socket.sendall(put(body) * batch)
        for _ in range(batch):
            connection.file.readline()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        work(int(sys.argv[2]), int(sys.argv[3]))
    else:
        submit(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode())
