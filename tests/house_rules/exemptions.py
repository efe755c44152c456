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
    Exemption("truetime/kernel/contradiction_detector.h", {"kernel"}, "ClockStamp, a value, is declared with the network"),
    Exemption("simulation/ledger_node.cc", {"libraries"}, "checks the simulated disk with a store, LevelDB itself"),
    Exemption("cli/terminal.cc", {"file", "sleep"}, "waits for keys and reads them from the person's terminal"),
    Exemption("cli/check_command.cc", {"file"}, "the history that a person names, outside any World"),
    Exemption("cli/sim_command.cc", {"file"}, "--trace FILE is written for a person, outside any World"),
    # Tests of what is real stand outside the loops that they watch.
    Exemption(
        "tests/cluster/*",
        {"clock", "environment", "file", "sleep", "socket", "thread"},
        "starts and stops real processes, in temporary directories and on free ports",
    ),
    Exemption(
        "tests/runtime/real/*",
        {"file", "lock", "socket", "thread"},
        "calls into the loops from the test's threads, and answers them on bare sockets",
    ),
    Exemption("tests/truetime/real_world_test.cc", {"thread"}, "TT-MONOTONE across real threads is what is tested"),
    Exemption("tests/truetime/seqlock_test.cc", {"thread"}, "readers and a writer on threads are what is tested"),
    Exemption("tests/truetime/taint_list_test.cc", {"thread"}, "stamping from several threads is what is tested"),
    Exemption("tests/paxos/kernel/scenario_test.cc", {"environment", "file"}, "reads stories and writes them anew"),
    Exemption("tests/paxos/kernel/walk_test.cc", {"environment"}, "which seeds to walk, more than the test's own"),
    Exemption("tests/txn/kernel/walk_test.cc", {"environment"}, "which seeds to walk, more than the test's own"),
    Exemption("tests/txn/walk_seeds.h", {"environment"}, "which seeds to walk, more than the test's own"),
    Exemption("tests/txn/kernel/scenario_test.cc", {"environment", "file"}, "reads stories and writes them anew"),
    Exemption("tests/workload/checker/known_histories_test.cc", {"file"}, "reads tests/workload/histories"),
    Exemption("tests/truetime/host_check_test.cc", {"file"}, "checks configuration files, which it writes first"),
    Exemption(
        "tests/bench/*",
        {"clock", "file", "lock", "sleep", "socket", "thread"},
        "measures the machine from outside any World, bare system calls and bare gRPC beside ours",
    ),
    # Planted: the test of determinism must notice an address as a key.
    Exemption("tests/runtime/simulated/determinism_test.cc", {"pointer-key", "randomness"}, "breaks determinism on purpose"),
    Exemption("tests/simulation/campaign_test.cc", {"pointer-key", "printed-pointer"}, "breaks determinism on purpose"),
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
