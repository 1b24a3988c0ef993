"""Peers that speak another protocol, promise nonsense, are of another time, never read, or leave in the middle of a word."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import unittest

import zmq

from naps import ROOT, Naps, until

sys.path.append(f"{ROOT}/Tests/EndToEndTests/Resources")
import wire  # noqa: E402
import wire_worker  # noqa: E402

LARGEST = (1 << 64) - 1


class Case(unittest.TestCase):
    def setUp(self):
        self.naps = Naps()
        self.addCleanup(self.naps.end)

    def client(self, pipeline):
        client = wire.Client(pipeline.address, pipeline.name, timeout_ms=60_000)
        self.addCleanup(client.close)
        return client

    def raw_worker(self, pipeline, name="raw"):
        worker = wire_worker.Worker(name, "nap", pipeline.address)
        self.addCleanup(worker.close)
        return worker

    def serve(self, pipeline):
        return self.naps.worker(f"--sub-connect=tcp://127.0.0.1:{pipeline.events}")


class Workers(Case):
    def test_who_speaks_another_protocol_is_told_of_and_gets_nothing(self):
        pipeline = self.naps.pipeline("naps-one")
        for version in (1, 3, 255):
            stranger = zmq.Context.instance().socket(zmq.DEALER)
            self.addCleanup(stranger.close, 0)
            stranger.connect(pipeline.address)
            stranger.send(b"CT" + bytes([version, wire_worker.HELLO]) + b"\x01w")
            pipeline.program.await_words(f"protocol {version} is spoken there, protocol 2 here; one side must be upgraded")
        self.assertEqual(pipeline.status()["workers"], [])
        pipeline.enqueue(1, 0, "job")
        self.serve(pipeline)
        pipeline.await_succeeded(1)

    def test_credits_fall_and_end_at_the_largest_number(self):
        pipeline = self.naps.pipeline("naps-one")
        pipeline.enqueue(10, 0, "job")
        worker = self.raw_worker(pipeline)
        worker.join(jobs=1)
        worker.receive_until(lambda: worker.held, "a job")

        def keep_to(number, jobs):
            worker.credit = (number, jobs)
            worker.send(wire_worker.CREDIT, wire.text(worker.name) + worker._credit())
            worker.receive_until(lambda: worker.acknowledged == number, f"credit {number}")

        keep_to(LARGEST - 1, 0)
        worker.report(list(worker.held))
        worker.receive_until(lambda: not worker.held, "an acknowledgement")
        keep_to(LARGEST, 1)
        worker.receive_until(lambda: worker.held, "the next job")
        # One more than 64 bits hold, and one that would begin again from below: neither counts.
        for number in (LARGEST + 1, 1):
            worker.send(wire_worker.CREDIT, wire.text(worker.name) + wire.number(number) + wire.number(10))
        worker.report(list(worker.held))
        worker.receive_until(lambda: [job for job, _ in worker.held.values()] == ["job-2"], "the third job")
        self.assertEqual(worker.acknowledged, LARGEST)
        worker.say_goodbye()
        self.serve(pipeline)
        pipeline.await_succeeded(10)

    def test_a_result_for_a_coordinator_that_is_gone_ends_nobody_else_s_job(self):
        pipeline = self.naps.pipeline("naps-one", storage="memory:")
        pipeline.enqueue(1, 0, "job")
        worker = self.raw_worker(pipeline)
        worker.join(jobs=1)
        worker.receive_until(lambda: worker.held, "a job")
        pipeline.program.signal(signal.SIGKILL)
        pipeline.program.process.wait()
        again = self.naps.pipeline("naps-one", storage="memory:", jobs=pipeline.jobs, events=pipeline.events)
        # The same id, and nobody may run it yet.
        again.enqueue(1, 0, "job")
        worker.report(list(worker.held))
        worker.receive_until(lambda: not worker.held, "word that the report need not be kept")
        job = self.client(again).request("job", id="job-0")[2]
        self.assertEqual((job["state"], job["attempts"]), ("waiting", []))
        worker.say_goodbye()
        self.serve(again)
        again.await_succeeded(1)
        self.assertEqual(self.naps.naps(), ["job-0"])


class Clients(Case):
    def test_a_queue_of_clients_that_never_read_costs_bounded_memory_and_nobody_s_time(self):
        pipeline = self.naps.pipeline("naps-one", storage="memory:")
        client = self.client(pipeline)
        instructions = json.dumps({"ms": 0, "filling": os.urandom(8_000).hex()})
        for first in range(0, 1_000, 100):
            client.enqueue([(f"large-{number}", instructions, 0) for number in range(first, first + 100)])
        request = [wire.PROLOGUE + bytes([wire.REQUEST]) + wire.number(1) + wire.text("naps-one") + wire.text("jobs"),
                   wire.payload(json.dumps({"limit": 1_000}))]
        deaf = [zmq.Context.instance().socket(zmq.DEALER) for _ in range(3)]
        for one in deaf:
            self.addCleanup(one.close, 0)
            one.setsockopt(zmq.RCVHWM, 1)
            one.setsockopt(zmq.RCVBUF, 4_096)
            one.connect(pipeline.address)
        # 9 MB an answer: 60 of them would be 560 MB, and 64 MiB may wait for each.
        for _ in range(20):
            for one in deaf:
                one.send_multipart(request)
            # Answered in its turn with the others.
            self.assertEqual(client.request("jobs", limit=1_000)[0], 0)
        self.serve(pipeline)
        pipeline.await_succeeded(1_000)
        with open(f"/proc/{pipeline.program.process.pid}/status") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
        print(f"three clients that never read cost {peak:.0f} MiB")
        self.assertTrue(150 < peak < 400, peak)

    def test_a_heartbeat_behind_more_messages_than_may_wait_and_a_reset_end_no_coordinator(self):
        redis = f"{self.naps.path}/redis.sock"
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", redis, "--save", ""], stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        until(lambda: os.path.exists(redis), "redis-server listens")
        # A coordinator takes nothing in before its store is open: what is sent waits.
        server.send_signal(signal.SIGSTOP)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = self.naps.start(
            "pipeline", self.naps.library, "naps-one", "--sub-bind=tcp://127.0.0.1:*", f"--job-pull=tcp://127.0.0.1:{port}",
            f"--storage=redis+unix://{redis}")
        # Few, for a coordinator whose store does not answer for some seconds ends.
        for _ in range(4):
            peer = until(lambda: self.connected(port), "it listens")
            peer.sendall(self.greeting())
            # Both are ready: a greeting, and a command with its length before it.
            length = self.received(peer, 66)[65]
            self.received(peer, length)
            peer.sendall(b"\x00\x01x" * 150 + b"\x04\x07\x04PING\x00\x05" + b"\x00\x01x")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        server.send_signal(signal.SIGCONT)
        program.await_words(r"jobs tcp://")
        client = wire.Client(f"tcp://127.0.0.1:{port}", "naps-one", timeout_ms=60_000)
        self.addCleanup(client.close)
        self.assertEqual(client.request("status")[0], 0)

    @staticmethod
    def connected(port):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            return None

    @staticmethod
    def received(peer, count):
        """So many bytes, which come in pieces: MSG_WAITALL does not wait on a socket with a time limit."""
        data = b""
        while len(data) < count:
            piece = peer.recv(count - len(data))
            if not piece:
                raise RuntimeError(f"the connection ended after {len(data)} of {count} bytes")
            data += piece
        return data

    @staticmethod
    def greeting():
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
        return b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL" + bytes(48) + b"\x04" + bytes([len(ready)]) + ready


if __name__ == "__main__":
    unittest.main()
