"""Sizes, include guards, opening comments: the outer shape of a file."""

import re
from typing import Iterator, List, Tuple

from source import Source, Violation, matching

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

_NOT_A_FUNCTION = re.compile(r"\b(?:namespace|class|struct|enum|union|concept|extern)\b(?![^{}]*\)\s*(?:const|noexcept|override|final|\s)*$)")


def check_length(source: Source) -> Iterator[Violation]:
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Violation(
            source.path, FILE_LINES_MAX + 1, "file-length", f"{lines} lines, {FILE_LINES_MAX} at most: what second thing moved in?"
        )


def functions(code: str) -> Iterator[Tuple[int, int]]:
    """Offsets of the heads and the closing braces of functions, and of TEST() bodies; not of what is inside them."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.MULTILINE)
    at, head = 0, 0
    while at < len(code):
        c = code[at]
        if c in ";}" or (c == ":" and code[head:at].strip() in ("public", "private", "protected")):
            head = at + 1
        elif c == "(":
            at = matching(code, at) or at
        elif c == "{":
            before = code[head:at]
            if _NOT_A_FUNCTION.search(before) or not before.strip():
                head = at + 1
            else:
                end = matching(code, at)
                if end is None:
                    return
                if "(" in before and not re.search(r"=\s*$", before):
                    yield head + len(before) - len(before.lstrip()), end
                    # `Foo() : a_{1}, b_(2) {`: the initialisers' braces are not the body.
                    if re.match(r"\s*(?:,|\{)", code[end + 1 :]):
                        at = end + 1
                        continue
                    head = end + 1
                at = end
        at += 1


def check_functions(source: Source) -> Iterator[Violation]:
    for start, end in functions(source.code):
        first, last = source.line_of(start), source.line_of(end)
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield Violation(
                source.path,
                first,
                "function-length",
                f"{last - first + 1} lines, {FUNCTION_LINES_MAX} at most: a function fits on a screen.",
            )


def guard_of(path: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"


def check_header(source: Source) -> Iterator[Violation]:
    if not source.is_header:
        return
    if not source.text.startswith("//"):
        yield Violation(source.path, 1, "opening-comment", "a header opens with what it is and what it guarantees.")
    directives: List[Tuple[int, str]] = [
        (source.line_of(m.start()), " ".join(m.group(1).split()))
        for m in re.finditer(r"^[ \t]*#[ \t]*([^\n]*)", source.code, re.MULTILINE)
    ]
    guard = guard_of(source.path)
    wanted = [f"ifndef {guard}", f"define {guard}"]
    if [text for _, text in directives[:2]] != wanted or not source.text.rstrip().endswith(f"#endif  // {guard}"):
        line = directives[0][0] if directives else 1
        yield Violation(source.path, line, "include-guard", f"the guard is {guard}, and its #endif says so.")
