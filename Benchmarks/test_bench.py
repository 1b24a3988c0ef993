"""scripts/bench measures everything it says: few jobs, no peers, so the figures mean nothing but that they are there."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [f"{ROOT}/Benchmarks", f"{ROOT}/Benchmarks/systems"]
import recovery  # noqa: E402
import shares  # noqa: E402
from measurement import percentiles  # noqa: E402

FIGURES = ["jobs_per_s", "enqueue_per_s", "idle_ms", "loaded_ms", "cpu_s_per_1000_jobs", "peak_mib", "cpu_us_per_job"]


class BenchTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="carbontube-bench-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def bench(self, *arguments):
        """What it printed, and the figures it left."""
        program = subprocess.run(
            [f"{ROOT}/scripts/bench", *arguments, "--no-build", "--rounds", "1", "--json", f"{self.folder}/figures.json"],
            capture_output=True, text=True)
        self.assertEqual(program.returncode, 0, program.stderr[-2_000:])
        with open(f"{self.folder}/figures.json") as file:
            return program.stdout, json.load(file)

    def test_the_table_has_every_figure_of_every_store(self):
        output, results = self.bench(
            "--no-peers", "--jobs", "3000", "--probes", "100", "--seconds", "1", "--plot", f"{self.folder}/table.svg")
        for store in ("memory", "sqlite", "redis"):
            (figures,) = results["systems"][f"CarbonTube {store}"]
            self.assertNotIn("failure", figures)
            for name in FIGURES:
                self.assertTrue(figures[name], f"{store}: {name}")
            self.assertLessEqual({"coordinator", "worker", "PluginHost"}, figures["peak_mib"].keys())
            self.assertIn(f"| CarbonTube {store} |", output)
            self.assertGreater(results["idle"][store]["idle_mib"], 0)
        for limit in ("limit: bare ZeroMQ ring of 8 hops", "limit: redis-benchmark, as many commands"):
            self.assertGreater(results["limits"][limit][0]["jobs_per_s"], 0)
        self.assertGreater(os.path.getsize(f"{self.folder}/table.svg"), 10_000)

    def test_a_curve_has_every_point(self):
        output, results = self.bench("growth", "--curves", "phases", "--stores", "memory", "--plots", self.folder)
        points = results["curves"]["phases"]
        self.assertEqual([point["x"] for point in points], [3, 5, 10, 20, 50])
        self.assertTrue(all(point["rounds"] and point["rounds"][0]["cpu_us"]["all"] > 0 for point in points), points)
        self.assertIn("Cost over phases", output)
        self.assertGreater(os.path.getsize(f"{self.folder}/growth-phases.svg"), 10_000)

    @unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
    def test_recovery_times_every_fault(self):
        output, results = self.bench("recovery", "--cuts", "1", "--scenes", "idle,shared")
        for scene in ("idle", "shared"):
            faults = results["stores"]["sqlite"][scene]
            self.assertEqual(faults.keys(), recovery.FAULTS.keys())
            for times in faults.values():
                # Nobody begins a job before its worker's connection has ended for as long as it may.
                self.assertGreater(times[0], 0.25)
        self.assertIn("| machine cut off | nothing else runs | 1 |", output)

    def test_shares_counts_the_slots_of_both(self):
        output, results = self.bench("shares", "--jobs", "60")
        scenes = results["stores"]["sqlite"]
        self.assertEqual(len(scenes), len(shares.SCENES))
        for *_, figures in scenes:
            self.assertTrue(0 < shares.share(figures) < 1, figures)
        self.assertIn("| 1 × 2 | 5 and 50 |", output)


class ArithmeticTests(unittest.TestCase):
    def test_percentiles_never_flatter(self):
        hundred = list(range(1, 101))
        self.assertEqual(percentiles(hundred, (0.5, 0.9, 0.99)), [51, 91, 100])
        self.assertEqual(percentiles([7], (0.5, 0.99)), [7, 7])
        self.assertEqual(percentiles([3, 1, 2]), [2, 3, 3])

    def test_recovery_says_whether_99_of_100_were_in_time(self):
        times = [0.4] * 199 + [9]
        (row,) = recovery.rows({"idle": {"worker killed alone": times}})
        self.assertEqual(row[2:], ["200", "400", "400", "400", "9,000", "500: yes"])
        (row,) = recovery.rows({"busy": {"machine cut off": [1.9, 2.1]}})
        self.assertEqual(row[-1], "2,000: no")

    def test_a_job_that_ended_before_the_fault_is_no_round(self):
        class Lines(list):
            def next_line(self, job):
                return self.pop(0)

        self.assertIsNone(recovery.begun_elsewhere(Lines([("E", 7, 1.0)]), "job", after=2.0))
        # Cut off: it ends where it was, begins elsewhere and ends there.
        lines = Lines([("E", 7, 2.3), ("B", 8, 3.5), ("E", 8, 3.8)])
        self.assertEqual(recovery.begun_elsewhere(lines, "job", after=2.0), 3.5)
        self.assertEqual(lines, [])

    def test_shares_count_only_while_jobs_of_both_wait(self):
        lines = [("B", "one-0", 1, 7, 0.0), ("E", "one-0", 1, 7, 2.0), ("B", "two-0", 1, 8, 1.0), ("E", "two-0", 1, 8, 4.0),
                 ("B", "one-1", 1, 7, 2.0), ("E", "one-1", 1, 7, 3.0), ("B", "one-2", 1, 7, 5.0), ("B", "two-1", 1, 8, 4.0),
                 ("E", "two-1", 1, 8, 9.0)]
        # From 1, when the second began, until 4, when it began its last job.
        self.assertEqual(shares.shared(lines), {"one": 2.0, "two": 3.0, "of": 3.0})
        self.assertEqual(shares.percent(0.45), "45.0 : 55.0")


if __name__ == "__main__":
    unittest.main()
