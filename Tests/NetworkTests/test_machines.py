"""Workers on machines that can only connect out, and pipelines that share workers; all real processes."""

import os
import signal
import time
import unittest

from cut_link import CutLink
from machine import MachineBehindNAT
from naps import Naps, until


class Case(unittest.TestCase):
    def setUp(self):
        self.naps = Naps()
        self.addCleanup(self.naps.end)

    def assert_each_ran(self, ids, at_most=1):
        """Every job ran, none more often than it may."""
        runs = {}
        for nap in self.naps.naps():
            runs[nap] = runs.get(nap, 0) + 1
        self.assertEqual([nap for nap in ids if nap not in runs], [])
        self.assertEqual([nap for nap, times in runs.items() if times > at_most], [])


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class BehindNAT(Case):
    def setUp(self):
        super().setUp()
        self.machine = MachineBehindNAT()
        self.addCleanup(self.machine.remove)

    def test_a_worker_that_can_only_connect_out_runs_a_thousand_jobs(self):
        self.assertFalse(self.machine.can_be_reached())
        pipeline = self.naps.pipeline("naps-one", host="*")
        self.naps.worker(f"--sub-connect=tcp://{self.machine.here}:{pipeline.events}", within=self.machine.within)
        ids = pipeline.enqueue(1_000, 0, "far")
        pipeline.await_succeeded(1_000)
        self.assert_each_ran(ids)

    def test_a_pipeline_that_is_told_of_at_the_wrong_address_is_complained_about_on_both_sides(self):
        pipeline = self.naps.start(
            "pipeline", self.naps.library, "naps-one", "--sub-bind=tcp://*:*", "--job-pull=tcp://127.0.0.1:*",
            "--storage", f"sqlite:{self.naps.path}/naps-one.db")
        events = pipeline.await_words(r"workers tcp://\S+:(\d+)")[1]
        pipeline.await_words("workers on other machines find this pipeline at .* and cannot reach it at tcp://127.0.0.1:")
        worker = self.naps.worker(f"--sub-connect=tcp://{self.machine.here}:{events}", within=self.machine.within)
        worker.await_words(r"heard of a coordinator at tcp://127.0.0.1:\d+ by way of .*, and cannot reach it there")

    def test_jobs_of_a_machine_that_is_cut_off_run_elsewhere_within_two_seconds(self):
        pipeline = self.naps.pipeline("naps-one", host="*")
        far = self.naps.worker(f"--sub-connect=tcp://{self.machine.here}:{pipeline.events}", within=self.machine.within)
        self.addCleanup(far.process.kill)
        ids = pipeline.enqueue(1, 60_000, "long")
        until(lambda: pipeline.status()["phases"][0]["running"] == 1, "it runs there")
        self.machine.cut(True)
        gone = pipeline.program.await_words("worker .* is gone")
        self.assertTrue(gone)
        pipeline.enqueue(1, 0, "short")
        self.naps.worker(f"--sub-connect=tcp://127.0.0.1:{pipeline.events}", "--concurrency=2")
        pipeline.await_succeeded(1)
        self.machine.cut(False)
        self.assertEqual(ids, ["long-0"])


class Shared(Case):
    def pipelines(self, *names):
        return [self.naps.pipeline(name) for name in names]

    def worker_of(self, pipelines, slots):
        meetings = [f"--sub-connect=tcp://127.0.0.1:{pipeline.events}" for pipeline in pipelines]
        return self.naps.worker(*meetings, f"--concurrency={slots}")

    def running(self, pipeline):
        return pipeline.status()["phases"][0]["running"]

    def test_a_pipeline_that_hangs_or_dies_leaves_its_slots_to_the_other(self):
        one, two = self.pipelines("naps-one", "naps-two")
        ids = one.enqueue(300, 100, "one") + two.enqueue(300, 100, "two")
        worker = self.worker_of([one, two], slots=4)
        until(lambda: self.running(one) >= 2 and self.running(two) >= 2, "both are served")
        one.program.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        until(lambda: self.running(two) >= 2, "half of them at once", seconds=1)
        until(lambda: self.running(two) == 4, "all slots are the other's", seconds=10)
        print(f"all slots of a pipeline that hangs were the other's after {time.monotonic() - stopped:.2f} s")
        one.program.signal(signal.SIGCONT)
        until(lambda: self.running(one) >= 1, "it is served again")
        one.program.signal(signal.SIGKILL)
        until(lambda: self.running(two) == 4, "all slots are the other's", seconds=10)
        again = self.naps.pipeline("naps-one", jobs=one.jobs, events=one.events)
        again.await_succeeded(300)
        two.await_succeeded(300)
        # What ran while its coordinator died, or was away for longer than it may, runs again.
        self.assert_each_ran(ids, at_most=3)
        self.assertIsNone(worker.process.poll())

    def test_slots_are_all_used_after_a_link_was_cut_again_and_again(self):
        pipeline = self.naps.pipeline("naps-one", "--advertise", (link := CutLink()).address)
        self.addCleanup(link.close)
        link.lead_to(pipeline.jobs)
        self.worker_of([pipeline], slots=4)
        ids = pipeline.enqueue(2_000, 5, "cut")
        cuts = int(os.environ.get("CARBONTUBE_LINK_CUTS", "50"))
        for _ in range(cuts):
            link.await_connection()
            link.cut()
        print(f"cut {cuts} times")
        pipeline.await_succeeded(2_000)
        pipeline.enqueue(8, 1_000, "after")
        until(lambda: self.running(pipeline) == 4, "four run at once")
        pipeline.await_succeeded(2_008)
        self.assertEqual([nap for nap in ids if nap not in set(self.naps.naps())], [])

    def test_pipelines_and_workers_meet_at_a_forwarder(self):
        forwarder = self.naps.start("forwarder", "--sub-bind=tcp://127.0.0.1:*", "--pub-bind=tcp://127.0.0.1:*")
        said = forwarder.await_words(r"workers (tcp://\S+), pipelines (tcp://\S+)")
        self.naps.worker(f"--sub-connect={said[1]}", "--concurrency=2")
        pipelines = [self.naps.pipeline(name, f"--forwarder={said[2]}") for name in ("naps-one", "naps-two")]
        ids = [nap for pipeline in pipelines for nap in pipeline.enqueue(50, 1, pipeline.name)]
        for pipeline in pipelines:
            pipeline.await_succeeded(50)
        self.assert_each_ran(ids)
        forwarder.signal(signal.SIGTERM)
        self.assertEqual(forwarder.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
