#include "tests/bench/paxos/load.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/errors.h"
#include "paxos/group.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/put_machine.h"
#include "tests/bench/paxos/values.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using runtime::Executor;
using runtime::MonotonicTime;
using runtime::Task;

// What the clients of one load share.
struct Run {
  LoadOptions options;
  std::shared_ptr<paxos::Group> group;
  Values values;
  MonotonicTime end = MonotonicTime::Max();
  uint64_t started = 0;
  uint64_t committed = 0;
  absl::Status error{};

  bool MayStart() const {
    return error.ok() && started < options.proposals.value_or(UINT64_MAX) &&
           Executor::Current().Now() < end;
  }
  std::string NextPut() {
    const std::string key = options.new_rows ? absl::StrCat("row-", started) : values.Key();
    ++started;
    return EncodePut(key, values.Value(options.value_bytes));
  }
};

Task<absl::Status> ProposeUntilTaken(Run* run, std::string put) {
  while (true) {
    const absl::Status done =
        (co_await run->group->Propose(put, runtime::Timestamp::Min(), paxos::Until::kChosen))
            .status();
    if (done.ok() || paxos::RetryOf(done) != paxos::Retry::kHere) co_return done;
    const absl::Status slept = co_await runtime::SleepFor(1ms);
    if (!slept.ok()) co_return slept;
  }
}

Task<void> Client(Run* run) {
  while (run->MayStart()) {
    const MonotonicTime begin = Executor::Current().Now();
    absl::Status done = co_await ProposeUntilTaken(run, run->NextPut());
    if (!done.ok()) {
      run->error.Update(done);
      co_return;
    }
    ++run->committed;
    if (run->options.latencies == nullptr) continue;
    const runtime::Duration took = Executor::Current().Now() - begin;
    run->options.latencies->Add(std::chrono::duration<double, std::micro>(took).count());
  }
}

}  // namespace

Task<absl::StatusOr<LoadResult>> RunLoad(Node* leader, LoadOptions options) {
  Run run{.options = options,
          .group = FindGroup(leader, options.group),
          .values = Values(options.group.value(), options.value_bytes)};
  const MonotonicTime begin = Executor::Current().Now();
  if (options.seconds.has_value()) {
    run.end = begin + runtime::Duration(static_cast<int64_t>(*options.seconds * 1e9));
  }
  runtime::TaskScope clients(Executor::Current());
  for (int i = 0; i < options.outstanding; ++i) clients.Spawn(Client(&run));
  co_await clients.Join();
  if (!run.error.ok()) co_return run.error;
  const runtime::Duration took = Executor::Current().Now() - begin;
  co_return LoadResult{run.committed, std::chrono::duration<double>(took).count()};
}

}  // namespace bench
