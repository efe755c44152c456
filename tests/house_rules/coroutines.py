"""The rules of coroutines that a pattern can see. What a coroutine uses after its first wait must be in its frame:
parameters by value or pointer, no captures. It is resumed only through its executor, and somebody owns it."""

import re
from typing import Iterator, Optional, Tuple

from source import Source, Violation, lambdas, matching, own_body, split_top_level

_TASK = re.compile(r"\bTask\s*(?=<)")
_NAME_AND_PARAMETERS = re.compile(r"\s*((?:[A-Za-z_]\w*(?:\s*<[\w\s,:]*>)?\s*::\s*)*~?[A-Za-z_]\w*)?\s*\(")
_COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")
_RETURNS_TASK = re.compile(r"->\s*(?:runtime::)?Task\s*<")


def _dangling(parameter: str) -> Optional[str]:
    """Why a parameter does not live in the coroutine's frame; None if it does."""
    outside = _without_brackets(parameter)
    if "&" in outside:
        return "is a reference"
    if re.search(r"\bstring_view\b", parameter):
        return "is a string_view"
    if re.search(r"\b(?:absl::Span|std::span)\b", parameter):
        return "is a span"
    if re.search(r"\bFunctionRef\b|\bfunction_ref\b", parameter):
        return "is a view of a function"
    return None


def _without_brackets(text: str) -> str:
    kept, depth = [], 0
    for c in text:
        if c in "(<[{":
            depth += 1
        elif c in ")>]}":
            depth -= 1
        elif depth == 0:
            kept.append(c)
    return "".join(kept)


def _parameters_of_tasks(source: Source) -> Iterator[Tuple[int, str]]:
    """The parameter lists of what returns a Task: functions, function types and lambdas."""
    code = source.code
    for match in _TASK.finditer(code):
        end = matching(code, match.end())
        if end is None:
            continue
        head = _NAME_AND_PARAMETERS.match(code, end + 1)
        if head is None:
            continue
        closing = matching(code, head.end() - 1)
        if closing is not None:
            yield match.start(), code[head.end() : closing]
    for lam in lambdas(code):
        between = code[code.find("]", lam.start) : lam.body[0]]
        if _RETURNS_TASK.search(between) or _COROUTINE.search(code[lam.body[0] : lam.body[1]]):
            yield lam.start, lam.parameters


def check_parameters(source: Source) -> Iterator[Violation]:
    seen = set()
    for at, parameters in _parameters_of_tasks(source):
        for parameter in split_top_level(parameters):
            why = _dangling(parameter.partition("=")[0])
            shown = " ".join(parameter.split())
            if why is None or (source.line_of(at), shown) in seen:
                continue
            seen.add((source.line_of(at), shown))
            yield Violation(
                source.path,
                source.line_of(at),
                "task-parameter",
                f"'{shown}' {why}, which the task's frame does not keep alive; pass a value or a pointer.",
            )


def check_capturing_lambdas(source: Source) -> Iterator[Violation]:
    found = list(lambdas(source.code))
    for lam in found:
        if lam.captures and _COROUTINE.search(own_body(source.code, lam.body, found)):
            yield Violation(
                source.path,
                source.line_of(lam.start),
                "lambda-coroutine",
                "a lambda coroutine's captures are not in its frame; pass them as parameters.",
            )


def check_await_in_catch(source: Source) -> Iterator[Violation]:
    for match in re.finditer(r"\bcatch\s*\(", source.code):
        closing = matching(source.code, match.end() - 1)
        brace = source.code.find("{", closing) if closing is not None else -1
        end = matching(source.code, brace) if brace >= 0 else None
        if end is not None and re.search(r"\bco_(?:await|yield)\b", source.code[brace:end]):
            yield Violation(
                source.path, source.line_of(match.start()), "await-in-catch", "waits inside a catch block; leave it first."
            )


def check_symmetric_transfer(source: Source) -> Iterator[Violation]:
    patterns = [
        r"\bcoroutine_handle\s*<[^;{}()]*>\s+(?:\w+::)*await_suspend\b",
        r"\bawait_suspend\s*\([^{};]*\)[^{};]*->\s*(?:std::)?coroutine_handle\b",
    ]
    for pattern in patterns:
        for match in re.finditer(pattern, source.code):
            yield Violation(
                source.path,
                source.line_of(match.start()),
                "symmetric-transfer",
                "await_suspend gives a coroutine to resume; make it ready on its executor instead.",
            )


def check_detached(source: Source) -> Iterator[Violation]:
    """A coroutine without an owner: its own promise type, one that nobody awaits, or a Task started by hand."""
    rules = [
        (r"\bstd::suspend_never\b", "starts or ends without an owner; background work is TaskScope::Spawn()"),
        (r"\bpromise_type\b(?!\s*=\s*internal::TaskPromise)", "makes a coroutine type of its own; there is Task<T>"),
        (r"\bcoroutine_handle\s*<[^;{}()]*>\s*::\s*from_(?:promise|address)\b", "takes a coroutine from its owner"),
    ]
    for pattern, sentence in rules:
        for match in re.finditer(pattern, source.code):
            yield Violation(source.path, source.line_of(match.start()), "detached-task", f"{sentence}.")


def check_kernel(source: Source) -> Iterator[Violation]:
    """A kernel/ folder decides: event and time in, effects out."""
    if "/kernel/" not in source.path or source.path.startswith("tests/"):
        return
    for match in re.finditer(r"\bco_(?:await|return|yield)\b|\bTask\s*<", source.code):
        yield Violation(
            source.path, source.line_of(match.start()), "kernel", "a kernel decides and never waits; its driver does that."
        )
    for include in source.includes:
        if re.match(r"runtime/(?:world|executor|network|blocking|datagrams|clocks|task\w*|real/.*|simulated/.*)\.h$", include.path):
            yield Violation(source.path, include.line, "kernel", f"a kernel has no door to the world: {include.path}.")
