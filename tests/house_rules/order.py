"""Nothing depends on the order of a hash table or on an address: both differ from run to run."""

import re
from typing import Dict, Iterator, Optional, Set

from source import Source, Violation, matching, split_top_level

_HASHED = re.compile(r"\b(?:absl::(?:flat|node)_hash_(?:map|set)|std::unordered_(?:multi)?(?:map|set))\s*(?=<)")
_ORDERED = re.compile(r"\b(?:std::(?:multi)?(?:map|set)|absl::btree_(?:multi)?(?:map|set)|std::priority_queue)\s*(?=<)")
_RANGE_FOR = re.compile(r"\bfor\s*(?=\()")
_ALIAS = re.compile(r"\busing\s+(\w+)\s*=\s*$")


def _hashed_names(code: str, aliases: Dict[str, int]) -> Set[str]:
    """The variables, fields and parameters declared as hash containers; adds to `aliases` the types that are."""
    names = set()
    for match in _HASHED.finditer(code):
        end = matching(code, match.end())
        if end is None:
            continue
        alias = _ALIAS.search(code[: match.start()])
        if alias:
            aliases[alias.group(1)] = 1
            continue
        names |= set(re.findall(r"^\s*[&*]*\s*(?:const\s+)?(\w+)", code[end + 1 : end + 120]))
    for alias in aliases:
        names |= set(re.findall(r"\b" + alias + r"\b\s*[&*]*\s+[&*]*(\w+)\s*[;={,)(]", code))
    return names - {"const"}


def check_hash_order(source: Source, header: Optional[Source] = None) -> Iterator[Violation]:
    """`header` is the header of a .cc file: its fields are iterated there."""
    aliases: Dict[str, int] = {}
    names = _hashed_names(header.code, aliases) if header is not None else set()
    names |= _hashed_names(source.code, aliases)
    if not names:
        return
    any_name = "(?:" + "|".join(sorted(map(re.escape, names))) + ")"
    ends_in_name = re.compile(r"(?:^|[\s.>*(&])" + any_name + r"\s*\)*\s*$")
    found = []
    for match in _RANGE_FOR.finditer(source.code):
        end = matching(source.code, match.end())
        if end is None:
            continue
        head = source.code[match.end() + 1 : end]
        range_of = re.split(r"(?<!:):(?!:)", head, maxsplit=1)
        if ";" not in head and len(range_of) == 2 and ends_in_name.search(range_of[1]):
            found.append(match.start())
    calls = [
        r"\b" + any_name + r"\s*(?:\.|->)\s*c?r?begin\s*\(",
        r"\bstd::(?:ranges::)?c?begin\s*\(\s*" + any_name + r"\s*\)",
        r"\babsl::c_\w+\s*\(\s*" + any_name + r"\b",
        r"\bstd::ranges::\w+\s*\(\s*" + any_name + r"\b",
    ]
    for call in calls:
        found += [m.start() for m in re.finditer(call, source.code)]
    for line in sorted({source.line_of(at) for at in found}):
        yield Violation(
            source.path, line, "hash-order", "iterates a hash container, whose order differs in every run; use a btree or sort."
        )


def check_pointer_keys(source: Source) -> Iterator[Violation]:
    for match in _ORDERED.finditer(source.code):
        end = matching(source.code, match.end())
        if end is None:
            continue
        arguments = split_top_level(source.code[match.end() + 1 : end])
        if arguments and re.search(r"\*(?:\s*const)?$|^(?:std::)?(?:unique|shared|weak)_ptr\s*<", arguments[0]):
            yield Violation(
                source.path,
                source.line_of(match.start()),
                "pointer-key",
                f"orders by the address of {arguments[0]}, which differs in every run; use an id.",
            )
    for match in re.finditer(r"\bstd::(?:less|greater|hash)\s*<[^<>;{}]*\*\s*>", source.code):
        yield Violation(
            source.path, source.line_of(match.start()), "pointer-key", "compares or hashes addresses; use an id."
        )


def check_printed_pointers(source: Source) -> Iterator[Violation]:
    for literal in source.strings:
        if re.search(r"(?<!%)(?:%%)*%p", literal.text):
            yield Violation(source.path, literal.line, "printed-pointer", "%p prints an address; print an id.")
    patterns = [
        r"<<\s*(?:static_cast|reinterpret_cast)\s*<\s*(?:const\s+)?void\s*(?:const\s*)?\*",
        r"<<\s*this\b(?!\s*->)",
        r"\breinterpret_cast\s*<\s*(?:std::)?u?int(?:ptr|64)_t\s*>",
    ]
    for pattern in patterns:
        for match in re.finditer(pattern, source.code):
            yield Violation(
                source.path,
                source.line_of(match.start()),
                "printed-pointer",
                "makes text or a number of an address, which differs in every run; use an id.",
            )
