"""Runs `isochron bench commit-wait` and `isochron bench transactions` on little of everything, and with flags that make no sense.

Usage: smoke_test.py ISOCHRON

How large the figures are is not judged here: that takes a quiet machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ISOCHRON = sys.argv.pop(1)


def bench(*arguments):
    return subprocess.run([ISOCHRON, "bench", *arguments], capture_output=True, text=True, timeout=240,
                          stdin=subprocess.DEVNULL)


class Smoke(unittest.TestCase):

    def measure(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            done = bench(*arguments, "--data", folder, "--json")
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertEqual(os.listdir(folder), [])
            return json.loads(done.stdout)

    def test_commit_wait_has_a_line_for_each_epsilon(self):
        lines = self.measure("commit-wait", "--commits", "5", "--epsilon", "0,1ms")
        self.assertEqual([line["epsilon_us"] for line in lines], [0, 1000])
        self.assertGreaterEqual(lines[1]["one_group_us"], 2000)
        self.assertGreaterEqual(lines[1]["two_groups_us"], 2000)

    def test_every_figure_of_transactions_is_measured(self):
        lines = self.measure("transactions", "--seconds", "0.2", "--clients", "8")
        ours = [line["figure"] for line in lines if "etcd" not in line.get("reference", "")]
        self.assertEqual(len(ours), 4, ours)
        for line in lines:
            self.assertGreater(line["value"], 0, line)

    def test_flags_that_make_no_sense_are_refused_with_a_sentence(self):
        for arguments in (["commit-wait", "--epsilon", "soon"], ["commit-wait", "--epsilon", "2s"],
                          ["commit-wait", "--commits", "0"], ["transactions", "--clients", "0"],
                          ["transactions", "--seconds", "0"], ["transactions", "--data", "/nowhere/at/all"]):
            done = bench(*arguments)
            self.assertNotIn(done.returncode, (0, 1), arguments)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
