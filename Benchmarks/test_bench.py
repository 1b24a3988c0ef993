"""scripts/bench measures everything it says: few jobs, no peers, so the figures mean nothing but that they are there."""

import json
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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


if __name__ == "__main__":
    unittest.main()
