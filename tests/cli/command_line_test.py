"""What a person sees who gets the command line wrong: one sentence, exit status 2, nothing left behind.

Usage: command_line_test.py ISOCHRON
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ISOCHRON = sys.argv.pop(1)
HISTORIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "workload", "histories")
GOOD = os.path.join(HISTORIES, "list-good-concurrent.edn")
MISSING = os.path.join(HISTORIES, "timestamps-missing.edn")


def run(*arguments, cwd=None):
    """The finished process, with its output as text."""
    return subprocess.run([ISOCHRON, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd,
                          stdin=subprocess.DEVNULL)


class WrongInput(unittest.TestCase):
    """Each row: the arguments, and what the one sentence must say."""

    ROWS = [
        ([], "a command is missing"),
        (["nosuch"], "nosuch"),
        (["--nosuch"], "--nosuch"),
        (["truetime", "--nosuch"], "--nosuch"),
        (["truetime", "surplus"], "surplus"),
        (["truetime", "--source", "gps"], "there is no time source 'gps': it is chrony or fixed"),
        (["truetime", "--source"], "--source"),
        (["truetime", "--source", "fixed", "--epsilon", "abc", "--once"], "'abc' is not a duration"),
        (["truetime", "--source", "fixed", "--epsilon=-1ms", "--once"], "'-1ms' is negative"),
        (["truetime", "--source", "fixed", "--epsilon", "-1ms", "--once"], "-1ms"),
        (["truetime", "--source", "fixed", "--epsilon", "10", "--once"], "'10' has no unit"),
        (["truetime", "--once", "--chrony", "/nonexistent/chronyd.sock"], "/nonexistent/chronyd.sock"),
        (["truetime", "--once", "--json", "--chrony", "127.0.0.1:1"], "127.0.0.1:1"),
        (["truetime", "--once", "--chrony", "nowhere"], "nowhere"),
        (["truetime", "--once", "--chrony", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (["truetime", "--once", "--chrony", "/dev/null"], "/dev/null"),
        (["truetime", "wait", "--epsilon", "abc"], "'abc' is not a duration"),
        (["truetime", "wait", "--epsilon=-1ms"], "'-1ms' is negative"),
        (["truetime", "wait", "--epsilon", "10"], "'10' has no unit"),
        (["truetime", "wait", "--epsilon", "1ms,,2ms"], "'' is not a duration"),
        (["truetime", "wait", "--commits", "0"], "--commits is from 1 to 100000"),
        (["truetime", "wait", "--commits", "many"], "many"),
        (["bench"], "what to measure is missing"),
        (["bench", "nosuch"], "nosuch"),
        (["bench", "paxos", "surplus"], "surplus"),
        (["bench", "paxos", "--only", "nosuch"], "there is no figure 'nosuch': the figures are idle"),
        (["bench", "paxos", "--only", "idle,"], "empty name"),
        (["bench", "paxos", "--seconds", "0"], "--seconds is from 0.1 to 600"),
        (["bench", "paxos", "--groups", "0"], "--groups is from 1 to 20000"),
        (["bench", "paxos", "--groups", "many"], "many"),
        (["bench", "paxos", "--outstanding", "0"], "--outstanding is from 1 to 4096"),
        (["bench", "paxos", "--value-bytes", "0"], "--value-bytes is from 1 to 32768"),
        (["bench", "paxos", "--megabytes", "1"], "--megabytes is from 64 to 16384"),
        (["bench", "paxos", "--proposals", "1"], "--proposals is from 1000 to 100000000"),
        (["bench", "paxos", "--data", "/nonexistent"], "no folder can be made in '/nonexistent'"),
        (["sim"], "sim needs --scenario"),
        (["sim", "--scenario", "nosuch"], "there is no scenario 'nosuch'"),
        (["sim", "--scenario", "truetime,"], "empty name"),
        (["sim", "--scenario", "truetime", "--seeds", "9-1"], "'9-1' is an empty range of seeds"),
        (["sim", "--scenario", "truetime", "--seeds", "x"], "'x' is not a range of seeds"),
        (["sim", "--scenario", "truetime", "--without", "TT-NOSUCH"], "no switch for a rule 'TT-NOSUCH'"),
        (["sim", "--scenario", "truetime", "--seeds", "1-2", "--trace", "t"], "one scenario and one seed"),
        (["sim", "--scenario", "truetime", "--seeds", "1", "--trace", "/nonexistent/t"],
         "'/nonexistent/t' cannot be written"),
        (["check"], "check needs the FILE of a history"),
        (["check", "a", "b"], "b"),
        (["check", "/nonexistent/h.edn"], "the history '/nonexistent/h.edn' cannot be read"),
        (["check", "/"], "the history '/' cannot be read"),
        (["check", "/dev/null"], "the history '/dev/null' is empty"),
        (["check", "-"], "-: the history has no transaction"),
        (["check", GOOD, "--model", "perfect"], "there is no model 'perfect': it is one of strict-serializable"),
        (["check", GOOD, "--format", "xml"], "there is no format 'xml'"),
        (["check", GOOD, "--format", "json"], "line 1, column 1: not JSON"),
        (["check", GOOD, "--registers", "fast"], "registers cannot be 'fast'"),
        (["check", GOOD, "--examples", "0"], "--examples is from 1 to 1000"),
        (["check", GOOD, "--examples", "x"], "x"),
        (["check", GOOD, "--timestamps", "--model", "read-committed"], "which read-committed does not promise"),
        (["check", GOOD, "--timestamps", "--registers", "sequential"], "--registers is for histories without"),
        (["check", MISSING, "--timestamps"], "T0 of process 0 (w x 1) has no commit-timestamp"),
    ]

    def test_gets_one_sentence_and_status_2(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, sentence in self.ROWS:
                with self.subTest(arguments=arguments):
                    done = run(*arguments, cwd=folder)
                    self.assertEqual(done.returncode, 2, done)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                    self.assertTrue(done.stderr.startswith("isochron: "), done.stderr)
                    self.assertIn(sentence, done.stderr)
                    self.assertEqual(os.listdir(folder), [])


class RightInput(unittest.TestCase):

    def test_help_and_version_are_no_errors(self):
        for arguments in (["--help"], ["truetime", "--help"], ["sim", "--help"], ["check", "--help"], ["--version"]):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("sochron" if "--version" in arguments else "--help", done.stdout)

    def test_once_tells_programs_the_interval(self):
        done = run("truetime", "--source", "fixed", "--epsilon", "2ms", "--once", "--json")
        self.assertEqual(done.returncode, 0, done)
        picture = json.loads(done.stdout)
        self.assertEqual(picture["latest"] - picture["earliest"], 4_000_000)
        self.assertEqual(picture["epsilon"], 2_000_000)
        self.assertEqual(picture["state"], "synchronised")
        self.assertEqual(picture["source"], "fixed")
        self.assertIsInstance(picture["since"], int)
        self.assertIsInstance(picture["warnings"], list)

    def test_wait_never_returns_before_two_epsilon(self):
        done = run("truetime", "wait", "--epsilon", "0,1ms", "--commits", "5", "--json")
        self.assertEqual(done.returncode, 0, done)
        rows = json.loads(done.stdout)
        self.assertEqual([row["epsilon"] for row in rows], [0, 1_000_000])
        for row in rows:
            self.assertGreaterEqual(row["median"], 2 * row["epsilon"])

    def test_a_seed_gives_the_same_hash_with_and_without_a_trace(self):
        with tempfile.TemporaryDirectory() as folder:
            for scenario in ("truetime", "truetime-liar", "runtime"):
                with self.subTest(scenario=scenario):
                    plain = run("sim", "--scenario", scenario, "--seeds", "3", "--verbose")
                    traced = run("sim", "--scenario", scenario, "--seeds", "3", "--trace",
                                 os.path.join(folder, "trace.txt"))
                    self.assertEqual((plain.returncode, traced.returncode), (0, 0), (plain, traced))
                    found = plain.stdout.split("hash ")[1].split()[0]
                    self.assertIn(f"hash {found}", traced.stderr)
                    with open(os.path.join(folder, "trace.txt"), encoding="utf-8") as trace:
                        self.assertGreater(len(trace.readlines()), 100)

    def test_a_violation_gives_status_1_and_a_command_that_replays_it(self):
        done = run("sim", "--scenario", "truetime", "--seeds", "1-50", "--without", "TT-BOUND")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("TT-CONTAINS", done.stdout)
        self.assertIn("FAILED", done.stdout)
        replay = done.stdout.split("replay: isochron ")[1].split("\n")[0].split()
        with tempfile.TemporaryDirectory() as folder:
            again = run(*replay, cwd=folder)
            self.assertEqual(again.returncode, 1)
            self.assertIn("TT-CONTAINS", again.stderr)

    def test_check_says_whether_a_history_is_valid(self):
        skew = os.path.join(HISTORIES, "list-g2-item.edn")
        stamped = os.path.join(HISTORIES, "timestamps-good-unknown.edn")
        for arguments, status in (([GOOD], 0), ([skew], 1), ([skew, "--model", "snapshot-isolation"], 0),
                                  ([stamped, "--timestamps"], 0)):
            with self.subTest(arguments=arguments):
                done = run("check", *arguments)
                self.assertEqual((done.returncode, done.stderr), (status, ""), done)
                told = run("check", *arguments, "--json")
                self.assertEqual(told.returncode, status)
                self.assertEqual(json.loads(told.stdout)["valid"], status == 0)

    def test_check_shows_the_cycle(self):
        done = run("check", os.path.join(HISTORIES, "list-g-single-realtime.edn"))
        self.assertIn("G-single-realtime\n", done.stdout)
        self.assertIn("T0 -realtime-> T1: T0 ended (event 1) before T1 began (event 2)", done.stdout)


if __name__ == "__main__":
    unittest.main()
