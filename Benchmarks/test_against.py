"""Two builds are compared pair by pair, and what fell is told."""

import contextlib
import io
import sys
import os
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{HERE}/systems"]
import against  # noqa: E402


def figures(speed):
    return {"jobs_per_s": 1_000 * speed, "enqueue_per_s": 5_000 * speed, "idle_ms": [1 / speed, 2, 3],
            "loaded_ms": [2 / speed, 3, 4], "cpu_s_per_1000_jobs": 0.1 / speed}


def shown(speeds):
    """What is printed and what fell, of pairs that are so much faster now."""
    pairs = [{"before": figures(drift), "now": figures(drift * speed)} for drift, speed in speeds]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        fell = against.show({"rounds": len(pairs), "against": "abc", "stores": {"memory": pairs}})
    return output.getvalue(), fell


class AgainstTests(unittest.TestCase):
    def test_what_drifts_in_both_of_a_pair_is_no_change(self):
        output, fell = shown([(1, 1), (0.5, 1), (2, 1)])
        self.assertEqual(fell, [])
        self.assertIn("+0.0% (+0.0% … +0.0%)", output)

    def test_a_median_that_falls_by_more_than_five_percent_is_told_for_every_figure(self):
        _, fell = shown([(1, 0.93), (0.5, 0.93), (2, 1.2)])
        self.assertEqual([name for _, name in fell], [name for name, _, _ in against.FIGURES])

    def test_one_bad_pair_is_no_fall(self):
        self.assertEqual(shown([(1, 0.5), (1, 1), (1, 1.01)])[1], [])

    def test_a_commit_that_is_not_there_is_named(self):
        with self.assertRaises(SystemExit) as ended:
            against.built("no-such-commit", "/nonexistent")
        self.assertIn("no-such-commit", str(ended.exception))


if __name__ == "__main__":
    unittest.main()
