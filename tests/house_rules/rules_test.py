#!/usr/bin/env python3
"""Each rule refuses its bad snippets and accepts its good ones: a check that nobody has seen fail is not a check."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import check
import coroutines
import floors
import order
import shape
import words
import world
from exemptions import Exemption, without_exempt
from source import Source, Violation, lambdas

FLOORS = ["runtime", "runtime/real", "runtime/simulated", "truetime", "storage", "server", "workload", "simulation", "cli"]


def rules_of(violations):
    return [violation.rule for violation in violations]


class RuleTest(unittest.TestCase):
    def refuses(self, rule, snippet, name, path="txn/lock_table.cc"):
        found = list(rule(Source(path, snippet)))
        self.assertIn(name, rules_of(found), f"accepted: {snippet}")
        return found

    def accepts(self, rule, snippet, path="txn/lock_table.cc"):
        self.assertEqual([], list(rule(Source(path, snippet))), f"refused: {snippet}")


class SourceTest(unittest.TestCase):
    def test_comments_and_literals_are_not_code(self):
        source = Source(
            "a.cc",
            "int a = 1'000'000; // sleep(1)\n"
            "/* rand() */ char c = '\"'; char d = '\\'';\n"
            'auto s = "time(0) \\" // no"; auto r = R"x(getenv("A"))x"; f();\n',
        )
        self.assertEqual([], list(world.check_world(source)))
        self.assertIn("1'000'000", source.code)
        self.assertIn("f();", source.code)
        self.assertIn("sleep(1)", source.comments)
        self.assertEqual(len(source.text), len(source.code))
        self.assertEqual(len(source.text), len(source.comments))
        self.assertEqual([3, 3], [literal.line for literal in source.strings])

    def test_a_violation_names_its_line(self):
        source = Source("a.cc", "/* one\ntwo */\nint x = rand();\n")
        self.assertEqual(["a.cc:3: randomness"], [str(v).rsplit(": ", 2)[0] for v in world.check_world(source)])

    def test_lambdas_are_told_from_subscripts_and_attributes(self):
        code = "[[nodiscard]] int f() { a[i] = [x](int y) { return y; }(1); return [] { return 2; }(); }"
        self.assertEqual(["x", ""], [lam.captures for lam in lambdas(code)])


class FloorsTest(RuleTest):
    def check(self, path, include):
        return rules_of(floors.check_floors(Source(path, f'#include "{include}"\n'), FLOORS))

    def test_floors_look_only_down(self):
        self.assertEqual([], self.check("truetime/clock.h", "runtime/time.h"))
        self.assertEqual(["floors"], self.check("runtime/time.h", "truetime/clock.h"))
        self.assertEqual(["floors"], self.check("truetime/clock.h", "tests/truetime/fake.h"))
        self.assertEqual([], self.check("tests/truetime/clock_test.cc", "simulation/cluster.h"))

    def test_strangers_do_not_know_each_other(self):
        self.assertEqual(["floors"], self.check("runtime/simulated/world.h", "runtime/real/loop.h"))
        self.assertEqual(["floors"], self.check("workload/bank.h", "server/node.h"))

    def test_a_world_is_known_only_to_who_builds_it(self):
        self.assertEqual(["floors"], self.check("truetime/clock.h", "runtime/real/loop.h"))
        self.assertEqual(["floors"], self.check("server/node.h", "runtime/simulated/world.h"))
        self.assertEqual([], self.check("simulation/cluster.h", "runtime/simulated/world.h"))
        self.assertEqual([], self.check("cli/main.cc", "runtime/real/world.h"))

    def test_an_include_needs_a_declared_floor(self):
        source = Source("truetime/clock.h", '#include "runtime/time.h"\n')
        self.assertEqual(["floors"], rules_of(floors.check_declared(source, FLOORS, {})))
        self.assertEqual([], list(floors.check_declared(source, FLOORS, {"truetime": ["runtime"]})))
        far = Source("storage/store.h", '#include "runtime/time.h"\n')
        declared = {"storage": ["truetime"], "truetime": ["runtime"]}
        self.assertEqual([], list(floors.check_declared(far, FLOORS, declared)))

    def test_the_floors_are_read_from_cmake(self):
        self.assertEqual(["runtime", "txn"], floors.floors_from_cmake("set(ISOCHRON_FLOORS\n    runtime txn)\n"))
        call = "add_floor(\n  txn\n  SOURCES a.cc # FLOORS x\n  FLOORS runtime paxos\n  PACKAGES absl::status)"
        self.assertEqual(["runtime", "paxos"], floors.declared_floors(call))

    def test_libraries_stay_in_their_homes(self):
        def check_library(path, include):
            return rules_of(floors.check_libraries(Source(path, f"#include <{include}>\n"), FLOORS))

        self.assertEqual(["libraries"], check_library("truetime/clock.cc", "leveldb/db.h"))
        self.assertEqual([], check_library("truetime/clock.cc", "leveldb/env.h"))
        self.assertEqual([], check_library("storage/store.cc", "leveldb/db.h"))
        self.assertEqual(["libraries"], check_library("storage/store.cc", "grpcpp/grpcpp.h"))
        self.assertEqual(["libraries"], check_library("truetime/chrony.cc", "boost/asio/ip/udp.hpp"))
        self.assertEqual([], check_library("runtime/real/loop.cc", "boost/asio/ip/udp.hpp"))
        self.assertEqual([], check_library("tests/bench/raw_grpc.cc", "grpcpp/grpcpp.h"))

    def test_files_are_in_no_circle(self):
        a = Source("runtime/a.h", '#include "runtime/b.h"\n')
        b = Source("runtime/b.h", '\n#include "runtime/c.h"\n')
        c = Source("runtime/c.h", '#include "runtime/a.h"\n')
        circle = "runtime/c.h:1: circle: runtime/a.h -> runtime/b.h -> runtime/c.h -> runtime/a.h."
        self.assertEqual([circle], [str(v) for v in floors.check_circles([a, b, c])])
        self.assertEqual([], list(floors.check_circles([a, b, Source("runtime/c.h", "")])))


class WorldTest(RuleTest):
    BAD = {
        "clock": [
            "auto t = std::chrono::steady_clock::now();",
            "clock_gettime(CLOCK_REALTIME, &ts);",
            "int64_t now = ::time(nullptr);",
            "auto t = absl::Now();",
        ],
        "sleep": ["std::this_thread::sleep_for(1ms);", "usleep(10);", "::nanosleep(&a, nullptr);", "absl::SleepFor(d);"],
        "thread": [
            "std::thread worker(Run);",
            "std::jthread worker;",
            "auto f = std::async(Run);",
            "#include <thread>\n",
            "return fork();",
            "if (::fork() == 0) Run();",
        ],
        "lock": ["std::mutex mutex_;", "absl::Mutex mutex_;", "absl::MutexLock lock(&m);", "#include <mutex>\n"],
        "randomness": ["int x = rand();", "std::random_device seed;", "std::mt19937_64 engine;", "absl::BitGen gen;"],
        "socket": ["int fd = socket(AF_INET, SOCK_DGRAM, 0);", "::connect(fd, a, n);", "#include <sys/socket.h>\n"],
        "file": [
            'std::ifstream in("x");',
            'FILE* f = fopen(p, "r");',
            "int fd = open(path, O_RDONLY);",
            "unlink(path);",
            "std::filesystem::remove(p);",
            "auto* env = leveldb::Env::Default();",
        ],
        "environment": ['const char* home = std::getenv("HOME");'],
    }
    GOOD = [
        "co_await SleepFor(1ms);",
        "auto t = executor.Now();",
        "timer.unlink(); wait_hook.unlink();",
        "unlink();",
        "channel->open(); file.read(p, n); socket.connect(a);",
        "absl::Status open(int mode);",
        "auto f = std::bind(&A::B, this);",
        "int64_t time(int x); use(time_point, lifetime(0));",
        "Thread x; my::thread y; brand(); operand(3);",
        "// std::mutex\n",
    ]

    def test_the_world_is_the_only_door(self):
        for rule, snippets in self.BAD.items():
            for snippet in snippets:
                self.refuses(world.check_world, snippet, rule)
        for snippet in self.GOOD:
            self.accepts(world.check_world, snippet)

    def test_every_rule_of_the_table_was_seen_to_fail(self):
        self.assertEqual({name for name, *_ in world.RULES}, set(self.BAD))

    def test_the_real_world_is_made_of_the_real_things(self):
        for snippets in self.BAD.values():
            for snippet in snippets:
                self.accepts(world.check_world, snippet, path="runtime/real/loop.cc")


class OrderTest(RuleTest):
    def test_hash_containers_are_not_iterated(self):
        table = "absl::flat_hash_map<int, std::vector<int>> table_;\n"
        for use in [
            "for (const auto& [key, value] : table_) {}",
            "for (auto& entry : shard->table_) {}",
            "for (auto it = table_.begin(); it != table_.end(); ++it) {}",
            "absl::c_for_each(table_, f);",
            "std::vector<int> copy(std::begin(table_), std::end(table_));",
        ]:
            self.refuses(order.check_hash_order, table + use, "hash-order")
        self.refuses(order.check_hash_order, "void F(const std::unordered_set<int>& ids) { for (int id : ids) {} }", "hash-order")
        self.refuses(
            order.check_hash_order, "using Ids = absl::flat_hash_set<int>;\nIds ids;\nvoid F() { for (int id : ids) {} }", "hash-order"
        )
        for use in ["table_.find(3);", "if (table_.end() == it) {}", "for (int i : other) {}", "for (int x : table_[3]) {}"]:
            self.accepts(order.check_hash_order, table + use)
        self.accepts(order.check_hash_order, "absl::btree_map<int, int> table_; for (auto& e : table_) {}")

    def test_the_fields_of_a_header_are_known_in_its_source(self):
        header = Source("txn/a.h", "class A { absl::flat_hash_set<int> ids_; };")
        source = Source("txn/a.cc", "void A::F() { for (int id : ids_) {} }")
        self.assertEqual(["hash-order"], rules_of(order.check_hash_order(source, header)))

    def test_addresses_order_nothing(self):
        for bad in [
            "std::map<Node*, int> nodes;",
            "std::set<const Node*> nodes;",
            "absl::btree_set<Node*> nodes;",
            "std::set<std::shared_ptr<Node>> nodes;",
            "std::hash<Node*> hash;",
        ]:
            self.refuses(order.check_pointer_keys, bad, "pointer-key")
        for good in ["std::map<int, Node*> nodes;", "absl::flat_hash_map<Node*, int> n;", "std::set<std::pair<int, int>> s;"]:
            self.accepts(order.check_pointer_keys, good)

    def test_addresses_are_not_shown(self):
        for bad in [
            'printf("%p", x);',
            "out << static_cast<const void*>(x);",
            "out << this;",
            "auto id = reinterpret_cast<uintptr_t>(x);",
        ]:
            self.refuses(order.check_printed_pointers, bad, "printed-pointer")
        for good in ['printf("100%%p %d", x);', "out << this->id();", "out << x;", "auto* p = static_cast<void*>(x);"]:
            self.accepts(order.check_printed_pointers, good)


class CoroutinesTest(RuleTest):
    def test_parameters_live_in_the_frame(self):
        for bad in [
            "Task<void> F(const std::string& s);",
            "Task<int> Group::F(int a, Node& node) {",
            "Task<void> F(Node&& node);",
            "runtime::Task<absl::Status> F(absl::string_view key);",
            "Task<void> F(std::span<const int> ids);",
            "Task<void> F(std::vector<absl::string_view> keys);",
            "virtual Task<absl::StatusOr<std::string>> F(\n    int a,\n    absl::Span<int> b) = 0;",
            "template <typename T> Task<std::map<int, T>> F(T& t);",
            "auto f = [](Node& n) -> Task<void> { co_return; };",
            "std::function<Task<void>(const Request&)> handler;",
        ]:
            self.refuses(coroutines.check_parameters, bad, "task-parameter")
        for good in [
            "Task<void> F(std::string s, Node* node, int a = b & 3);",
            "Task<void> F(std::function<void(const Node&)> f);",
            "Task(Task&& other); Task& operator=(Task&& other);",
            "typename Task<T>::Awaiter Under(CancelScope* s, Task<T> task);",
            "void Spawn(Task<void> task, const Name& name);",
            "Task<int> a; co_await F(&b);",
        ]:
            self.accepts(coroutines.check_parameters, good)

    def test_lambda_coroutines_capture_nothing(self):
        for bad in [
            "auto f = [this]() -> Task<void> { co_await Work(); };",
            "Spawn([&] { co_return; }());",
            "Spawn([x = std::move(y)](int z) mutable -> Task<int> { co_return x + z; }(1));",
            "auto f = [] { return [this]() -> Task<void> { co_return; }; };",
        ]:
            self.refuses(coroutines.check_capturing_lambdas, bad, "lambda-coroutine")
        for good in [
            "auto f = [](Node* node) -> Task<void> { co_await node->Work(); };",
            "executor->Post([this] { scope_.Spawn(Work(this)); });",
            "auto f = [this] { return [](A* a) -> Task<void> { co_return; }(this); };",
            "Task<void> F() { co_await Run([&] { ++x; }); }",
        ]:
            self.accepts(coroutines.check_capturing_lambdas, good)

    def test_nothing_waits_in_a_catch_block(self):
        self.refuses(coroutines.check_await_in_catch, "try { F(); } catch (...) { co_await G(); }", "await-in-catch")
        self.accepts(coroutines.check_await_in_catch, "try { F(); } catch (...) { bad = true; } co_await G();")

    def test_coroutines_are_resumed_by_their_executor(self):
        for bad in [
            "std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) { return next; }",
            "auto await_suspend(std::coroutine_handle<> h) noexcept -> std::coroutine_handle<> { return next; }",
        ]:
            self.refuses(coroutines.check_symmetric_transfer, bad, "symmetric-transfer")
        self.accepts(coroutines.check_symmetric_transfer, "bool await_suspend(std::coroutine_handle<Promise> h);")

    def test_every_coroutine_has_an_owner(self):
        for bad in [
            "std::suspend_never final_suspend();",
            "struct Detached { struct promise_type {}; };",
            "auto h = std::coroutine_handle<P>::from_promise(p);",
        ]:
            self.refuses(coroutines.check_detached, bad, "detached-task")
        self.accepts(coroutines.check_detached, "scope_.Spawn(Work());")

    def test_a_kernel_never_waits(self):
        kernel = "txn/kernel/lock_table.cc"
        for bad in ["Task<void> F();", "co_await F();", '#include "runtime/world.h"\n']:
            self.refuses(coroutines.check_kernel, bad, "kernel", path=kernel)
        self.accepts(coroutines.check_kernel, '#include "runtime/time.h"\nint F(Timestamp now);', path=kernel)
        self.accepts(coroutines.check_kernel, "co_await F();", path="txn/participant.cc")


class ShapeTest(RuleTest):
    def test_files_and_functions_have_a_length(self):
        long_body = "\n".join(["  ++x;"] * 80)
        self.refuses(shape.check_length, "\n" * 601, "file-length")
        self.accepts(shape.check_length, "\n" * 600)
        for bad in [
            f"void F() {{\n{long_body}\n}}\n",
            f"namespace a {{\nclass B {{\n public:\n  int F(int x) const {{\n{long_body}\n  }}\n}};\n}}\n",
            f"A::A(int b)\n    : b_{{b}}, c_(1) {{\n{long_body}\n}}\n",
            f"TEST_F(LockTableTest, Waits) {{\n{long_body}\n}}\n",
            f"struct A a = {{1}};\nTask<int> F() {{\n  if (x) {{\n{long_body}\n  }}\n}}\n",
        ]:
            self.refuses(shape.check_functions, bad, "function-length")
        for good in [
            "namespace a {\n" + "void F() {\n  ++x;\n}\n" * 40 + "}\n",
            "class A {\n" + "  int F() const { return 1; }\n" * 90 + "};\n",
            "const int kTable[] = {\n" + "  1,\n" * 90 + "};\n",
        ]:
            self.accepts(shape.check_functions, good)

    def test_a_long_function_is_reported_where_it_begins(self):
        body = "\n".join(["  ++x;"] * 80)
        found = self.refuses(shape.check_functions, f"int a;\n\nvoid F() {{\n{body}\n}}\n", "function-length")
        self.assertEqual([3], [violation.line for violation in found])

    def test_headers_say_what_they_are_and_are_guarded(self):
        good = "// What.\n#ifndef TXN_KERNEL_A_H_\n#define TXN_KERNEL_A_H_\n#endif  // TXN_KERNEL_A_H_\n"
        path = "txn/kernel/a.h"
        self.accepts(shape.check_header, good, path=path)
        self.accepts(shape.check_header, "int x;", path="txn/kernel/a.cc")
        self.refuses(shape.check_header, good[len("// What.\n") :], "opening-comment", path=path)
        self.refuses(shape.check_header, good.replace("KERNEL_", ""), "include-guard", path=path)
        self.refuses(shape.check_header, "// What.\n#pragma once\n", "include-guard", path=path)


class WordsTest(unittest.TestCase):
    def check(self, text):
        return rules_of(words.check_words("docs/a.md", text))

    def test_no_path_of_one_machine_no_registry_no_promise(self):
        self.assertEqual(["machine-path"], self.check("see " + "/".join(["", "home", "somebody", "a.h"])))
        self.assertEqual(["machine-path"], self.check("cd .." + "/shared"))
        self.assertEqual(["registry"], self.check("fetch https://pypi.org/simple"))
        self.assertEqual(["promise"], self.check("// TODO: later"))
        self.assertEqual(["promise"], self.check("# FIXME(somebody)"))
        self.assertEqual([], self.check("// TODO(12): later\nsee network/home/page and ${DIR}/" + "work/x"))

    def test_cited_protocol_rules_exist(self):
        stated = words.protocol_rules("- **TT-BOUND** With chrony\n- **PX-LEASE**, **PX-ONE-VALUE**: and so on\nTT-PLAIN")
        self.assertEqual({"TT-BOUND", "PX-LEASE", "PX-ONE-VALUE"}, stated)

        def check_names(text, path="a.cc"):
            return rules_of(words.check_protocol_names(Source(path, text), stated))

        self.assertEqual([], check_names("// Carries TT-BOUND and PX-ONE-VALUE.\nint TT = 1;"))
        self.assertEqual(["protocol-name"], check_names("// Carries TT-BOUNDS."))
        self.assertEqual(["protocol-name"], check_names('watch("PX-NOTHING");'))
        self.assertEqual([], check_names('watch("PX-NOTHING");', path="tests/a_test.cc"))
        self.assertEqual([], check_names("int x = PX-NOTHING;"))
        in_text = rules_of(words.check_protocol_names_in_text("a.md", "See TT-BOUND and TX-NOTHING.", stated))
        self.assertEqual(["protocol-name"], in_text)


class ExemptionsTest(unittest.TestCase):
    def test_an_exemption_excuses_its_file_and_rule_and_must_be_needed(self):
        lock = Violation("a/b.cc", 1, "lock", "x.")
        clock = Violation("a/b.cc", 2, "clock", "x.")
        other = Violation("a/c.cc", 1, "lock", "x.")
        exemption = [Exemption("a/b.cc", {"lock"}, "reason")]
        self.assertEqual([clock, other], list(without_exempt([lock, clock, other], exemption)))
        self.assertEqual(["exemption"], rules_of(without_exempt([], exemption)))


class TreeTest(unittest.TestCase):
    def test_a_tree_is_checked_as_a_whole(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            files = {
                "cmake/Floors.cmake": "set(ISOCHRON_FLOORS runtime truetime)\n",
                "truetime/CMakeLists.txt": "add_floor(truetime FLOORS runtime)\n",
                "truetime/clock.cc": '#include "runtime/time.h"\nint x = rand();  // TT-NOTHING\n',
                "runtime/time.cc": '#include "truetime/clock.h"\n',
                "ignored/bad.cc": "int x = rand();\n",
                ".gitignore": "/ignored/\n",
                "notes.md": "see " + "/".join(["", "root", "notes"]) + "\n",
                "picture.bin": b"\xff\xfe",
            }
            for path, content in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
            subprocess.run(["git", "init", "-q", name], check=True)
            found = sorted((v.path, v.line, v.rule) for v in check.check_tree(root))
        self.assertEqual(
            [
                ("notes.md", 1, "machine-path"),
                ("runtime/time.cc", 1, "floors"),
                ("runtime/time.cc", 1, "floors"),
                ("truetime/clock.cc", 2, "protocol-name"),
                ("truetime/clock.cc", 2, "randomness"),
            ],
            found,
        )


if __name__ == "__main__":
    unittest.main()
