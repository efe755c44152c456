#!/usr/bin/env python3
"""Checks the house rules over every file of the repository; prints `path:line: rule: sentence` and fails if there are any.

usage: check.py [ROOT]
"""

import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List

import coroutines
import floors
import order
import shape
import words
import world
from exemptions import EXEMPTIONS, without_exempt
from source import Source, Violation

RULES = [
    world.check_world,
    order.check_pointer_keys,
    order.check_printed_pointers,
    coroutines.check_parameters,
    coroutines.check_capturing_lambdas,
    coroutines.check_await_in_catch,
    coroutines.check_symmetric_transfer,
    coroutines.check_detached,
    coroutines.check_kernel,
    shape.check_length,
    shape.check_functions,
    shape.check_header,
]
# These state the forbidden words, and break the rules on purpose.
OWN_FOLDER = "tests/house_rules/"


def our_files(root: Path) -> List[str]:
    """What git tracks or would: not what it ignores, not what is deleted."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted({path for path in listed.split("\0") if path and (root / path).is_file()})


def check_tree(root: Path) -> Iterator[Violation]:
    texts: Dict[str, str] = {}
    for path in our_files(root):
        try:
            texts[path] = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # Not text.
    sources = {path: Source(path, text) for path, text in texts.items() if path.endswith((".h", ".cc"))}
    floor_names = floors.floors_from_cmake(texts["cmake/Floors.cmake"])
    declared = {
        floor: floors.declared_floors(texts.get(f"{floor}/CMakeLists.txt", "")) for floor in floor_names
    }
    stated = words.protocol_rules(texts.get("docs/protocol.md", ""))

    for source in sources.values():
        for rule in RULES:
            yield from rule(source)
        yield from order.check_hash_order(source, sources.get(source.path[:-3] + ".h"))
        yield from floors.check_floors(source, floor_names)
        yield from floors.check_libraries(source, floor_names)
        yield from floors.check_declared(source, floor_names, declared)
        yield from words.check_protocol_names(source, stated)
    yield from floors.check_circles(list(sources.values()))
    for path, text in texts.items():
        if not path.startswith(OWN_FOLDER):
            yield from words.check_words(path, text)
            if path.endswith(".md"):
                yield from words.check_protocol_names_in_text(path, text, stated)


def main(arguments: List[str]) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0 if len(arguments) == 1 else 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    violations = sorted(without_exempt(check_tree(root), EXEMPTIONS))
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
