"""Words that have no place in the repository, and promises without an address. Read in every text file of ours."""

import re
from typing import Iterator, Set

from source import Source, Violation

_MACHINE_PATHS = re.compile(r"(?<![\w.$}\])-])/(?:work|root|home)/\w|\.\./(?:shared)\b")
_REGISTRIES = re.compile(
    r"\b(?:deb\.debian\.org|security\.debian\.org|pypi\.org|pythonhosted\.org|npmjs\.\w+|crates\.io|proxy\.golang\.org|"
    r"rubygems\.org|docker\.io|ghcr\.io|quay\.io)\b"
)
_PROMISE = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#?\d+\))")


def check_words(path: str, text: str) -> Iterator[Violation]:
    for number, line in enumerate(text.splitlines(), 1):
        if _MACHINE_PATHS.search(line):
            yield Violation(path, number, "machine-path", "names a path of one machine.")
        if _REGISTRIES.search(line):
            yield Violation(path, number, "registry", "names a package registry; apt and its configuration know those.")
        if _PROMISE.search(line):
            yield Violation(path, number, "promise", "a TODO has the number of its issue: TODO(12).")


_RULE_NAME = re.compile(r"\b(?:TT|PX|TX|SH|SC)-[A-Z]+(?:-[A-Z]+)*\b")


def protocol_rules(text: str) -> Set[str]:
    """The rules that docs/protocol.md states: their names in bold."""
    return {name for bold in re.findall(r"\*\*([^*\n]+)\*\*", text) for name in _RULE_NAME.findall(bold)}


def check_protocol_names(source: Source, stated: Set[str]) -> Iterator[Violation]:
    """In comments and literals; the code itself has no such names. A test may name a rule that there is not."""
    for line, text in enumerate(source.comments.splitlines(), 1):
        yield from _unknown_names(source.path, line, text, stated)
    for literal in source.strings if not source.path.startswith("tests/") else []:
        yield from _unknown_names(source.path, literal.line, literal.text, stated)


def check_protocol_names_in_text(path: str, text: str, stated: Set[str]) -> Iterator[Violation]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from _unknown_names(path, number, line, stated)


def _unknown_names(path: str, line: int, text: str, stated: Set[str]) -> Iterator[Violation]:
    for name in _RULE_NAME.findall(text):
        if name not in stated:
            yield Violation(path, line, "protocol-name", f"{name} is not a rule of docs/protocol.md.")
