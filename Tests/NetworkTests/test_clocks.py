"""Wall clocks that are set forward and back, or were wrong from the start: of the coordinator, of a worker, of a client."""

import os
import subprocess
import sys
import time
import unittest

from naps import CARBONTUBE, ROOT, Naps, until

sys.path.append(f"{ROOT}/Tests/Chaos")
from clock import HOUR_MS, WallClock  # noqa: E402

STEPS = [sign * span for span in (HOUR_MS, 24 * HOUR_MS, 8_766 * HOUR_MS) for sign in (1, -1)]
PARTIES = ("coordinator", "worker", "client")


class Clocks(unittest.TestCase):
    def setUp(self):
        self.naps = Naps()
        self.addCleanup(self.naps.end)
        self.clocks = {party: WallClock(self.naps.path, party) for party in PARTIES}

    def serve(self):
        self.pipeline = self.naps.pipeline("naps-one", environment=self.clocks["coordinator"].environment)
        self.naps.worker(f"--sub-connect=tcp://127.0.0.1:{self.pipeline.events}", "--concurrency=2",
                         environment=self.clocks["worker"].environment)
        until(lambda: [worker["state"] for worker in self.pipeline.status()["workers"]] == ["serving"], "a worker serves")

    def run_delayed(self, name):
        """How long it takes by the clock that nobody sets."""
        began = time.monotonic()
        ended = subprocess.run(
            [CARBONTUBE, "enqueue", self.pipeline.address, "naps-one", '{"ms":0}', "--id", name, "--delay", "0.5", "--wait"],
            capture_output=True, text=True, timeout=120, env=os.environ | self.clocks["client"].environment)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return time.monotonic() - began

    def assert_nothing_was_disturbed(self, ids):
        self.assertEqual(sorted(self.naps.naps()), sorted(ids))
        status = self.pipeline.status()
        self.assertEqual((status["succeeded"], len(status["workers"])), (len(ids), 1))
        self.assertIsNone(self.pipeline.program.said("is gone"))

    def test_a_clock_that_is_set_here_is_one_that_programs_see(self):
        self.clocks["client"].set(STEPS[0])
        seen = subprocess.run(["date", "+%s"], capture_output=True, text=True, env=os.environ | self.clocks["client"].environment)
        self.assertLess(abs(int(seen.stdout) - time.time() - STEPS[0] / 1000), 60)

    def test_whose_clock_is_set_neither_loses_nor_delays_nor_hastens_a_job(self):
        self.serve()
        ids = []
        for party in PARTIES:
            ids += self.pipeline.enqueue(1, 8_000, f"runs-{party}")
            until(lambda: self.pipeline.status()["phases"][0]["running"] == 1, "it runs")
            for step in STEPS:
                with self.subTest(party=party, milliseconds=step):
                    self.clocks[party].set(step)
                    ids.append(f"late-{party}{step}")
                    self.assertGreater(self.run_delayed(ids[-1]), 0.49)
            self.clocks[party].set(0)
            self.pipeline.await_succeeded(len(ids))
        self.assert_nothing_was_disturbed(ids)

    def test_peers_whose_clocks_differ_by_hours_work_together(self):
        self.clocks["worker"].set(HOUR_MS)
        self.clocks["client"].set(-24 * HOUR_MS)
        self.serve()
        ids = self.pipeline.enqueue(100, 1, "many")
        self.pipeline.await_succeeded(100)
        self.assertGreater(self.run_delayed("late"), 0.49)
        self.assert_nothing_was_disturbed([*ids, "late"])


if __name__ == "__main__":
    unittest.main()
