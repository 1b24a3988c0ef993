"""beanstalkd's protocol without a library: `beanstalk_peer.py PORT PHASE COUNT_FILE` is a worker, Client its client.

Workers put the next phase, then delete. Each sends what needs no answer before it goes on in one write with what does.
"""

import socket
import sys

from done_count import DoneCount


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def ask(self, data):
        self.socket.sendall(data)
        return self.file.readline().split()

    def reserved(self, answer):
        """The id and the body of the job that `answer` announces."""
        return answer[1], self.file.read(int(answer[2]) + 2)[:-2]


def put(body):
    return b"put 0 0 60 %d\r\n%b\r\n" % (len(body), body)


def work(port, phase, count_file):
    connection, count = Connection(port), DoneCount(count_file)
    connection.ask(b"watch phase%d\r\n" % phase)
    connection.ask(b"ignore default\r\n")
    connection.ask(b"use phase%d\r\n" % (phase + 1) if phase < 3 else b"use done\r\n")
    answer = connection.ask(b"reserve\r\n")
    while True:
        job, body = connection.reserved(answer)
        if phase < 3 or b"probe" in body:
            assert connection.ask(put(body))[0] == b"INSERTED"
        else:
            count.add()
        connection.socket.sendall(b"delete %b\r\nreserve\r\n" % job)
        connection.file.readline()
        answer = connection.file.readline().split()


class Client:
    def __init__(self, address):
        self.connection = Connection(address)
        self.connection.ask(b"use phase1\r\n")
        self.connection.ask(b"watch done\r\n")

    def enqueue(self, count):
        job = put(b'{"file_path": "/tmp/x", "size": 1}')
        for start in range(0, count, 500):
            batch = min(500, count - start)
            self.connection.socket.sendall(job * batch)
            for _ in range(batch):
                assert self.connection.file.readline().startswith(b"INSERTED")

    def run_one(self):
        self.connection.ask(put(b'{"file_path": "/probe", "size": 1}'))
        job, _ = self.connection.reserved(self.connection.ask(b"reserve\r\n"))
        self.connection.ask(b"delete %b\r\n" % job)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), sys.argv[3])
