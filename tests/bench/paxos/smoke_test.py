"""Runs `isochron bench paxos` on little of everything: each figure is measured, and nothing is left behind.

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

# What stands in the figures' names, in their order; etcd's is there if etcd is.
FIGURES = [
    "idle groups on three nodes, CPU", "idle groups on three nodes, memory", "an idle replica, memory", "memory, the last tenth",
    "commit, one client", "proposals of 200 bytes", "hand-over", "fail-over", "restart", "snapshot",
    "proposals while a snapshot is sent",
]


class Smoke(unittest.TestCase):

    def test_every_figure_is_measured_and_nothing_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [ISOCHRON, "bench", "paxos", "--seconds", "0.2", "--groups", "50", "--megabytes", "64", "--proposals", "2000",
                 "--data", folder, "--json"],
                capture_output=True, text=True, timeout=540, stdin=subprocess.DEVNULL)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            lines = [line for line in json.loads(done.stdout) if "etcd" not in line.get("reference", "")]
            self.assertEqual(len(lines), len(FIGURES), done.stdout)
            for line, figure in zip(lines, FIGURES):
                self.assertIn(figure, line["figure"])
                self.assertGreater(line["value"], 0, line)
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
