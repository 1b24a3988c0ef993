"""Many connections of workers that have no slot to lend: each says hello every second and reads what it is told. Says "ready" once
all are welcome, then serves until its stdin ends.

crowd.py ADDRESS JOB_TYPE COUNT
"""

import os
import select
import sys
import time

import zmq

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Tests/EndToEndTests/Resources"))
import wire_worker  # noqa: E402

ADDRESS, JOB_TYPE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def main():
    context = zmq.Context.instance()
    context.set(zmq.MAX_SOCKETS, COUNT + 100)
    workers = [wire_worker.Worker(f"crowd-{number}", JOB_TYPE, ADDRESS) for number in range(COUNT)]
    poller = zmq.Poller()
    by_socket = {worker.socket: worker for worker in workers}
    for socket in by_socket:
        poller.register(socket, zmq.POLLIN)
    for worker in workers:
        worker.say_hello()
    welcome = 0
    while True:
        turn = time.monotonic()
        for worker in workers:
            worker.say_hello_if_due()
        for socket, _ in poller.poll(200):
            while socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                by_socket[socket].follow(socket.recv_multipart())
        if welcome < COUNT:
            welcome = sum(worker.pipeline is not None for worker in workers)
            if welcome == COUNT:
                print("ready", flush=True)
        if select.select([sys.stdin], [], [], max(0, 0.1 - (time.monotonic() - turn)))[0] and not sys.stdin.read(1):
            return


if __name__ == "__main__":
    main()
