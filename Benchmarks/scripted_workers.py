"""A worker moved by hand: nothing is sent unless it is told to, so that two runs put the same messages into the same turns of
the coordinator."""

# Puts the folder of the protocol's two sides into the path.
import carbontube_client  # noqa: F401
from wire_worker import Silence, Worker

__all__ = ["ScriptedWorker", "Silence"]


class ScriptedWorker(Worker):
    def __init__(self, phase, address):
        super().__init__(f"scripted-{phase}", phase, address)

    def say_hello_if_due(self):
        """Only where it is told to."""

    def take(self, count):
        """Waits until it holds `count` jobs."""
        self.receive_until(lambda: len(self.held) >= count, "jobs")

    def report_all(self):
        """All that it holds as succeeded, without a result, in one message."""
        self.report(list(self.held))

    def await_acknowledgement(self):
        self.receive_until(lambda: not self.held, "its acknowledgement")
