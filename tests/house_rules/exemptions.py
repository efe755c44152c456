"""The places that may break a rule, each with its reason. One that nothing needs any more is itself a violation."""

from fnmatch import fnmatchcase
from typing import Iterable, Iterator, List, NamedTuple, Set

from source import Violation


class Exemption(NamedTuple):
    path: str  # A file, or a pattern with *.
    rules: Set[str]
    reason: str


EXEMPTIONS: List[Exemption] = [
    Exemption("runtime/metrics.cc", {"lock"}, "metrics are made from any loop; the lock guards their registry only"),
    Exemption("runtime/random.h", {"randomness"}, "an engine that is all seed; the seed comes from the World"),
    Exemption("runtime/task.h", {"detached-task"}, "where Task and its promise are made"),
]


def without_exempt(violations: Iterable[Violation], exemptions: List[Exemption]) -> Iterator[Violation]:
    """What remains, and the exemptions without use."""
    used = set()
    for violation in violations:
        excuses = [e for e in exemptions if violation.rule in e.rules and fnmatchcase(violation.path, e.path)]
        used |= {(e.path, violation.rule) for e in excuses}
        if not excuses:
            yield violation
    for exemption in exemptions:
        for rule in sorted(exemption.rules):
            if (exemption.path, rule) not in used:
                yield Violation(
                    "tests/house_rules/exemptions.py", 1, "exemption", f"nothing in {exemption.path} needs to be free of {rule}."
                )
