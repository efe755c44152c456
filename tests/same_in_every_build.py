#!/usr/bin/env python3
"""A seed is the same run in every build: compares the hashes that two builds of isochron give.

usage: same_in_every_build.py ISOCHRON ISOCHRON SCENARIO,...:SEEDS ...

Every scenario that there is must be named.
"""

import json
import subprocess
import sys


def scenarios(isochron):
    listed = subprocess.run([isochron, "sim", "--list"], check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in listed.split("\n\n")[0].splitlines()}


def hashes(isochron, names, seeds):
    done = subprocess.run([isochron, "sim", "--json", "--scenario", names, "--seeds", seeds], capture_output=True, text=True)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["scenario"]: (result["hash"], result["events"], result["seeds"]) for result in results}


def main(first, second, *slices):
    unnamed = scenarios(first)
    same = True
    for names, seeds in (part.split(":") for part in slices):
        a, b = hashes(first, names, seeds), hashes(second, names, seeds)
        for name in names.split(","):
            equal = name in a and a.get(name) == b.get(name)
            print(f"{name}: {'same' if equal else 'DIFFERENT'}: {a.get(name)} and {b.get(name)}")
            same = same and equal
            unnamed.discard(name)
    for name in sorted(unnamed):
        print(f"{name}: not compared")
    return 0 if same and not unnamed else 1


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
