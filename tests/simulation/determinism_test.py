"""The same seed does exactly the same thing in two processes, whose addresses differ.

Usage: determinism_test.py ISOCHRON FIRST_SEED-LAST_SEED SCENARIO[,SCENARIO]

Compares the hashes of all events. tests/same_in_every_build.py does the same for two builds.
"""

import json
import subprocess
import sys


def hashes(isochron, seeds, scenarios):
    """By scenario: the hash over all seeds, and one line for each that failed."""
    done = subprocess.run([isochron, "sim", "--scenario", scenarios, "--seeds", seeds, "--json"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for result in results:
        if not result["ok"]:
            sys.exit(f"{isochron}: {result['scenario']} seed {result['failed_seed']}: {result['violation']}")
    if done.returncode != 0:
        sys.exit(f"{isochron} ended with {done.returncode}: {done.stderr}")
    return {result["scenario"]: result["hash"] for result in results}


def main():
    isochron, seeds, scenarios = sys.argv[1:4]
    first, second = (hashes(isochron, seeds, scenarios) for _ in range(2))
    for scenario, value in first.items():
        verdict = "same" if second[scenario] == value else "DIFFERENT"
        print(f"{scenario:16} seeds {seeds}  {value}  {second[scenario]}  {verdict}")
    if first != second:
        sys.exit("the same seeds gave different events: something but the seed decides")


if __name__ == "__main__":
    main()
