"""Floors look only down, nothing is in a circle, and each library has its home."""

import re
from typing import Dict, Iterator, List, Optional, Sequence

from source import Source, Violation

# Floors that do not know each other although one is named first.
STRANGERS = [("runtime/real", "runtime/simulated"), ("server", "workload")]

# The only floors that may include these, besides tests/.
KNOWN_ONLY_TO = {
    "runtime/real": {"server", "cli"},
    "runtime/simulated": {"simulation", "cli"},
}

# A library is included only where it lives: prefix of the include, floors. tests/ may include any.
LIBRARY_HOMES = [
    ("leveldb/", {"storage", "runtime/real", "runtime/simulated"}),
    ("grpc/", {"runtime/real", "server"}),
    ("grpcpp/", {"runtime/real", "server"}),
    ("grpc++/", {"runtime/real", "server"}),
    ("boost/asio", {"runtime/real", "server"}),
    ("boost/beast", {"server"}),
    ("spdlog/", {"runtime/real"}),
    ("prometheus/", {"runtime"}),
    ("CLI/", {"cli"}),
]
# Single headers with more homes: World::files() gives a leveldb::Env, so who reads a file needs its face.
HEADER_HOMES = {"leveldb/env.h": {"truetime"}, "leveldb/status.h": {"truetime"}}


def floors_from_cmake(text: str) -> List[str]:
    """ISOCHRON_FLOORS, the lowest first."""
    return re.search(r"set\(ISOCHRON_FLOORS\s+([^)]*)\)", text).group(1).split()


def declared_floors(text: str) -> List[str]:
    """The FLOORS that an add_floor() in this CMakeLists.txt names."""
    text = re.sub(r"#.*", "", text)
    call = re.search(r"add_floor\(([^)]*)\)", text)
    if call is None:
        return []
    words, floors, inside = call.group(1).split(), [], False
    for word in words:
        if word in ("SOURCES", "PROTOS", "FLOORS", "PACKAGES"):
            inside = word == "FLOORS"
        elif inside:
            floors.append(word)
    return floors


def floor_of(path: str, floors: Sequence[str]) -> Optional[str]:
    """The floor that a file stands on; tests and libraries stand on none."""
    best = None
    for floor in floors:
        if path.startswith(floor + "/") and (best is None or len(floor) > len(best)):
            best = floor
    return best


def check_floors(source: Source, floors: Sequence[str]) -> Iterator[Violation]:
    own = floor_of(source.path, floors)
    if own is None:
        return
    for include in source.includes:
        if include.path.startswith("tests/"):
            yield Violation(source.path, include.line, "floors", f"{own} includes {include.path}, a test.")
        other = floor_of(include.path, floors)
        if other is None or other == own:
            continue
        if floors.index(other) > floors.index(own):
            yield Violation(source.path, include.line, "floors", f"{own} looks up to {other}; floors look only down.")
        elif (other, own) in STRANGERS or (own, other) in STRANGERS:
            yield Violation(source.path, include.line, "floors", f"{own} and {other} do not know each other.")
        elif other in KNOWN_ONLY_TO and own not in KNOWN_ONLY_TO[other]:
            known = " and ".join(sorted(KNOWN_ONLY_TO[other]))
            yield Violation(source.path, include.line, "floors", f"{own} includes {other}, which only {known} may.")


def check_libraries(source: Source, floors: Sequence[str]) -> Iterator[Violation]:
    own = floor_of(source.path, floors)
    if own is None:
        return
    for include in source.includes:
        for prefix, homes in LIBRARY_HOMES:
            if not include.path.startswith(prefix):
                continue
            if own not in homes | HEADER_HOMES.get(include.path, set()):
                home = ", ".join(sorted(homes))
                yield Violation(
                    source.path, include.line, "libraries", f"{own} includes <{include.path}>, which lives in {home}."
                )


def check_declared(source: Source, floors: Sequence[str], declared: Dict[str, List[str]]) -> Iterator[Violation]:
    """An include needs the link: the floor, or one that it stands on, is named in add_floor(FLOORS)."""
    own = floor_of(source.path, floors)
    if own is None:
        return
    reachable, waiting = set(), [own]
    while waiting:
        floor = waiting.pop()
        if floor not in reachable:
            reachable.add(floor)
            waiting += declared.get(floor, [])
    for include in source.includes:
        other = floor_of(include.path, floors)
        if other is not None and other not in reachable:
            yield Violation(
                source.path, include.line, "floors", f"{own} includes {other} but its add_floor() does not name it."
            )


def check_circles(sources: Sequence[Source]) -> Iterator[Violation]:
    """No file includes itself by way of others. Reports each circle once, at the include that closes it."""
    by_path = {source.path: source for source in sources}
    done, trail = set(), []

    def visit(path: str) -> Iterator[Violation]:
        trail.append(path)
        for include in by_path[path].includes:
            if include.path in trail:
                circle = trail[trail.index(include.path) :] + [include.path]
                yield Violation(path, include.line, "circle", f"{' -> '.join(circle)}.")
            elif include.path in by_path and include.path not in done:
                yield from visit(include.path)
        trail.pop()
        done.add(path)

    for path in sorted(by_path):
        if path not in done:
            yield from visit(path)
