"""A source file as the rules see it: its lines, its code without comments and literals, its includes."""

import re
from dataclasses import dataclass, field
from typing import Iterator, List, NamedTuple, Optional, Tuple


class Violation(NamedTuple):
    """One place that breaks one rule; printed as `path:line: rule: sentence`."""

    path: str
    line: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.sentence}"


class Include(NamedTuple):
    line: int
    path: str


class Literal(NamedTuple):
    line: int
    text: str


_TOKEN = re.compile(
    r"""(?P<line_comment>//(?:\\\n|[^\n])*)
      | (?P<block_comment>/\*.*?\*/)
      | (?P<raw_string>\b(?:u8|u|U|L)?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<number>\b\d(?:'?[\w.])*)
      | (?P<character>'(?:\\.|[^'\\\n])+')
    """,
    re.DOTALL | re.VERBOSE,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)
_NOT_NEWLINE = re.compile(r"[^\n]")


@dataclass
class Source:
    """One file of C++. `code` and `comments` have the length and the lines of `text`: what is not theirs is blank."""

    path: str  # From the repository's root.
    text: str
    code: str = field(init=False)
    comments: str = field(init=False)
    strings: List[Literal] = field(init=False)
    includes: List[Include] = field(init=False)

    def __post_init__(self) -> None:
        self.includes = [Include(self.line_of(m.start(1)), m.group(1)) for m in _INCLUDE.finditer(self.text)]
        self.strings = []
        code, comments, end = [], [], 0
        for token in _TOKEN.finditer(self.text):
            blank = _NOT_NEWLINE.sub(" ", token.group())
            between = self.text[end : token.start()]
            kind = token.lastgroup if token.lastgroup != "delimiter" else "raw_string"
            code += [between, token.group() if kind == "number" else _code_of(token.group(), blank, kind)]
            comments += [_NOT_NEWLINE.sub(" ", between), token.group() if kind.endswith("comment") else blank]
            if kind.endswith("string"):
                self.strings.append(Literal(self.line_of(token.start()), token.group()))
            end = token.end()
        self.code = "".join(code) + self.text[end:]
        self.comments = "".join(comments) + _NOT_NEWLINE.sub(" ", self.text[end:])
        # The paths in #include lines are literals or look like code; the rules read them from `includes`.
        self.code = _INCLUDE.sub(lambda m: " " * len(m.group()), self.code)

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    @property
    def is_header(self) -> bool:
        return self.path.endswith(".h")

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


def _code_of(token: str, blank: str, kind: str) -> str:
    """A literal leaves its quotes in the code, so that what surrounds it still parses."""
    if kind.endswith("comment") or len(token) < 2:
        return blank
    quote = "'" if kind == "character" else '"'
    return quote + blank[1:-1] + quote


_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def matching(code: str, start: int) -> Optional[int]:
    """The offset of the bracket that closes the one at `start`; None if there is none.

    For `<`, which is also an operator, the search gives up at a `;` or `{`.
    """
    opening = code[start]
    closing = _CLOSING[opening]
    depth, i = 0, start
    while i < len(code):
        c = code[i]
        if c == opening:
            depth += 1
        elif c == closing and not (c == ">" and code[i - 1] == "-"):
            depth -= 1
            if depth == 0:
                return i
        elif opening == "<" and c in ";{":
            return None
        elif opening == "<" and c == "(":
            inner = matching(code, i)
            if inner is None:
                return None
            i = inner
        i += 1
    return None


def split_top_level(code: str, separator: str = ",") -> List[str]:
    """`a, b<c, d>, e(f, g)` in its three parts."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(code):
        if c in "(<[{":
            depth += 1
        elif c in ")]}" or (c == ">" and code[i - 1 : i] != "-"):
            depth -= 1
        elif c == separator and depth == 0:
            parts.append(code[start:i])
            start = i + 1
    parts.append(code[start:])
    return [part.strip() for part in parts if part.strip()]


class Lambda(NamedTuple):
    start: int
    captures: str
    parameters: str
    body: Tuple[int, int]  # Offsets of its braces.



def lambdas(code: str) -> Iterator[Lambda]:
    """All lambdas, the inner ones after the outer."""
    for opening in re.finditer(r"\[", code):
        start = opening.start()
        before = code[:start].rstrip()
        if before and (before[-1].isalnum() or before[-1] in "_)]["):
            if not re.search(r"\b(return|co_return|co_await|co_yield|case|else|in)$", before):
                continue  # A subscript, or an attribute.
        if code[start + 1 : start + 2] == "[":
            continue
        end = matching(code, start)
        if end is None:
            continue
        at, parameters = end + 1, ""
        at = _skip_spaces(code, at)
        if code[at : at + 1] == "<":
            closing = matching(code, at)
            if closing is None:
                continue
            at = _skip_spaces(code, closing + 1)
        if code[at : at + 1] == "(":
            closing = matching(code, at)
            if closing is None:
                continue
            parameters = code[at + 1 : closing]
            at = closing + 1
        head = re.compile(r"[\w\s:<>,*&()\-]*?\{").match(code, at)
        if head is None or ";" in head.group():
            continue
        brace = head.end() - 1
        closing = matching(code, brace)
        if closing is not None:
            yield Lambda(start, code[start + 1 : end].strip(), parameters, (brace, closing))


def _skip_spaces(code: str, at: int) -> int:
    while at < len(code) and code[at].isspace():
        at += 1
    return at


def own_body(code: str, body: Tuple[int, int], inner: List[Lambda]) -> str:
    """The text between braces without the bodies of the lambdas inside it."""
    start, end = body
    own = list(code[start : end + 1])
    for lam in inner:
        if start < lam.body[0] and lam.body[1] < end:
            for i in range(lam.body[0] - start, lam.body[1] - start + 1):
                own[i] = " "
    return "".join(own)
