#!/usr/bin/env python3
"""What every script promises: --help, one sentence and exit status 2 for bad input, nothing left behind."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(p for p in (ROOT / "scripts").iterdir() if os.access(p, os.X_OK))


def run(script, *arguments):
    """Runs a script from a directory that is not the repository's."""
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run([script, *arguments], cwd=elsewhere, capture_output=True, text=True, timeout=60)
        return done, os.listdir(elsewhere)


class ScriptsTest(unittest.TestCase):
    def refuses(self, script, *arguments):
        done, left = run(ROOT / "scripts" / script, *arguments)
        self.assertEqual((2, "", 1, []), (done.returncode, done.stdout, done.stderr.count("\n"), left), done.stderr)
        self.assertTrue(done.stderr.startswith(f"{script}: ") and done.stderr.endswith(".\n"), done.stderr)

    def test_each_explains_itself(self):
        self.assertTrue(SCRIPTS)
        for script in SCRIPTS:
            with self.subTest(script.name):
                done, _ = run(script, "--help")
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertTrue(done.stdout.startswith(f"usage: scripts/{script.name}"), done.stdout)

    def test_each_refuses_what_it_does_not_know(self):
        for script in SCRIPTS:
            with self.subTest(script.name):
                self.refuses(script.name, "--no-such-flag")

    def test_bad_values_are_refused(self):
        self.refuses("build", "no-such-preset")
        self.refuses("test", "--preset", "no-such-preset")
        self.refuses("test", "--preset", "fuzz")
        self.refuses("test", "--label")
        self.refuses("setup", "packages")
        self.refuses("format", "--check", "more")
        self.refuses("bench", "no-such-benchmark")
        self.refuses("demo", "more")
        self.refuses("fuzz", "no_such_target")
        self.refuses("fuzz", "--seconds", "-1")
        self.refuses("planted", "--only", "no-such-bug")
        self.refuses("tidy", "no_such_file.cc")

    def test_setup_is_silent_when_there_is_nothing_to_do(self):
        done, _ = run(ROOT / "scripts" / "setup")
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))


if __name__ == "__main__":
    unittest.main()
