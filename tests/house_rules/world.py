"""Everything outside the process is asked of the World: no clock, sleep, thread, lock, randomness, socket, file or
environment is used directly. runtime/real is where the real ones live; exemptions.py lists the other places."""

import re
from typing import Iterator

from source import Source, Violation

HOME = "runtime/real/"

# A C function called by its bare or global name: not a member, not of another namespace, not a declaration of ours.
_C = r"(?<![\w.:>~])(?:::)?"


def _call(*names: str) -> str:
    return _C + r"(?:" + "|".join(names) + r")\s*\("


RULES = [
    (
        "clock",
        "the time is asked of Executor::Now(), World::clocks() or TrueTime",
        [
            r"\b\w+_clock\s*::\s*now\b",
            _call("clock_gettime", "clock_getres", "clock_settime", "clock_adjtime", "adjtimex", "gettimeofday"),
            _call("localtime(?:_r)?", "gmtime(?:_r)?", "timerfd_create", "times"),
            _C + r"(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)",
            r"\bstd::(?:time|clock|timespec_get)\s*\(",
            r"\babsl::(?:Now|GetCurrentTimeNanos)\s*\(",
            r"\b__(?:builtin_ia32_)?rdtscp?\b",
        ],
        [],
    ),
    (
        "sleep",
        "waiting is co_await SleepFor() or SleepUntil()",
        [
            r"\bsleep_(?:for|until)\b",
            r"\babsl::SleepFor\b",
            _call("sleep", "usleep", "nanosleep", "clock_nanosleep", "pause", "poll", "ppoll", "select", "pselect"),
        ],
        [],
    ),
    (
        "thread",
        "work runs on the World's executors and on World::blocking()",
        [
            r"\bstd::(?:thread|jthread|async|packaged_task|promise|future|this_thread|latch|barrier|\w*semaphore)\b",
            r"\bstd::condition_variable\w*",
            r"\bpthread_\w+\s*\(",
            _call("fork", "vfork", "clone", "posix_spawnp?", "exec[lv]p?e?", "system", "popen", "waitpid", "kill"),
        ],
        ["thread", "future", "condition_variable", "semaphore", "latch", "barrier", "stop_token", "pthread.h"],
    ),
    (
        "lock",
        "state lives on one executor and needs no lock",
        [
            r"\bstd::(?:recursive_|shared_|timed_)*mutex\b",
            r"\bstd::(?:lock_guard|unique_lock|shared_lock|scoped_lock|call_once|once_flag)\b",
            r"\babsl::(?:\w*Mutex\w*|CondVar|Notification|BlockingCounter|call_once)\b",
        ],
        ["mutex", "shared_mutex", "absl/synchronization/"],
    ),
    (
        "randomness",
        "random numbers come from World::random()",
        [
            r"\bstd::(?:random_device|mt19937\w*|minstd_rand0?|default_random_engine|ranlux\w+|knuth_b|\w+_distribution)\b",
            r"\babsl::(?:BitGen|InsecureBitGen)\b",
            _call("s?rand", "rand_r", "s?random", "[dejlmn]rand48", "getrandom", "getentropy", "arc4random\\w*"),
            r"\bstd::s?rand\s*\(",
            r"\bRAND_(?:priv_)?bytes\b",
        ],
        ["random", "absl/random/"],
    ),
    (
        "socket",
        "messages go through World::network() and World::datagrams()",
        [
            _call("socket", "socketpair", "bind", "connect", "listen", "accept4?", "sendto", "sendmsg", "recvfrom"),
            _call("recvmsg", "getaddrinfo", "gethostbyname", "setsockopt", "epoll_\\w+", "eventfd", "io_uring_\\w+"),
        ],
        ["sys/socket.h", "sys/un.h", "netdb.h", "netinet/", "sys/epoll.h", "sys/eventfd.h", "boost/asio"],
    ),
    (
        "file",
        "files are reached through World::files()",
        [
            r"\bstd::w?[io]?fstream\b",
            r"\bstd::filesystem\b",
            r"\bstd::(?:fopen|freopen|tmpfile|rename)\s*\(",
            r"\bleveldb::Env::Default\b",
            _call("fopen", "freopen", "fdopen", "open(?:at)?", "creat", "mkstemp", "mkdtemp", "mkdir", "rmdir"),
            # unlink() without an argument is a member of our intrusive hooks.
            _C + r"unlink\s*\((?!\s*\))",
            _call("rename", "opendir", "readdir", "l?stat", "fsync", "fdatasync", "p?read(?:v)?", "p?write(?:v)?", "mmap"),
        ],
        ["fstream", "filesystem", "fcntl.h", "sys/stat.h", "sys/mman.h", "dirent.h"],
    ),
    (
        "environment",
        "configuration comes as flags, read once by cli/",
        [r"\b(?:std::)?(?:secure_)?getenv\s*\(", _call("setenv", "putenv", "unsetenv")],
        [],
    ),
]

_COMPILED = [(name, why, [re.compile(p) for p in patterns], headers) for name, why, patterns, headers in RULES]
_DECLARED = re.compile(r"\b(?!return\b|co_return\b|co_await\b|else\b|case\b|throw\b|delete\b|new\b)[A-Za-z_]\w*[\s*&]+$")


def check_world(source: Source) -> Iterator[Violation]:
    if source.path.startswith(HOME):
        return
    for name, why, patterns, headers in _COMPILED:
        for pattern in patterns:
            for match in pattern.finditer(source.code):
                found = match.group().strip().rstrip("(").strip()
                if "(" in match.group() and _DECLARED.search(source.code[: match.start()][-80:]):
                    continue  # `Status open(...)`: a function of ours that has the name.
                line = source.line_of(match.start() + len(match.group()) - len(match.group().lstrip()))
                yield Violation(source.path, line, name, f"{found}: {why}.")
        for include in source.includes:
            if any(include.path == h or (h[-1] == "/" or h == "boost/asio") and include.path.startswith(h) for h in headers):
                yield Violation(source.path, include.line, name, f"<{include.path}>: {why}.")
