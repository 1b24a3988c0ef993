"""A comparison that lets everything through would look like one that finds nothing."""

import os
import tempfile
import unittest

import kept_counts

HERE = {"machine": "x86_64", "swift": "6.3.1"}


def verdicts(before, now, elsewhere=False):
    kept = {"tolerance_percent": 5, "elsewhere_percent": 25, "made_with": HERE, "instructions_per_job": {"memory single": before}}
    return [row[-1] for row in kept_counts.compare(kept, {"memory single": now}, elsewhere)]


class KeptCounts(unittest.TestCase):
    def test_the_same_within_the_tolerance(self):
        self.assertEqual(verdicts(100_000, 104_900), ["ok"])
        self.assertEqual(verdicts(100_000, 95_100), ["ok"])

    def test_more_than_the_tolerance_either_way(self):
        self.assertEqual(verdicts(100_000, 105_100), ["more"])
        self.assertEqual(verdicts(100_000, 94_900), ["less"])

    def test_a_case_whose_runs_differ_has_a_tolerance_of_its_own(self):
        kept = {"tolerance_percent": 3, "instructions_per_job": {"sqlite single": 100_000, "sqlite batch": 100_000}}
        rows = kept_counts.compare(kept, {"sqlite single": 106_000, "sqlite batch": 106_000}, False)
        self.assertEqual([row[-1] for row in rows], ["ok", "more"])
        rows = kept_counts.compare(kept, {"sqlite single": 109_000}, False)
        self.assertEqual([row[-1] for row in rows], ["more"])

    def test_elsewhere_only_what_no_compiler_explains(self):
        self.assertEqual(verdicts(100_000, 124_000, elsewhere=True), ["ok"])
        self.assertEqual(verdicts(100_000, 126_000, elsewhere=True), ["more"])
        self.assertEqual(verdicts(100_000, 50_000, elsewhere=True), ["ok"])

    def test_a_case_without_a_kept_count_is_told(self):
        rows = kept_counts.compare({"tolerance_percent": 5, "instructions_per_job": {}}, {"redis batch": 1}, False)
        self.assertEqual(rows, [("redis batch", 1, None, None, "not kept")])

    def test_another_environment_is_noticed(self):
        self.assertEqual(kept_counts.differences({"made_with": HERE}, HERE), [])
        self.assertEqual(kept_counts.differences({"made_with": HERE}, HERE | {"swift": "6.4"}), ["swift 6.3.1 there, 6.4 here"])

    def test_what_is_recorded_compares_as_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "counts.json")
            kept_counts.record({"memory single": 294_321.5}, HERE, path)
            self.assertEqual(kept_counts.compare(kept_counts.load(path), {"memory single": 294_321.5}, False)[0][-1], "ok")


if __name__ == "__main__":
    unittest.main()
