#include "runtime/real/real_world.h"

#include <leveldb/env.h>

#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/metrics.h"
#include "runtime/real/chosen_experiments.h"
#include "runtime/real/grpc_network.h"
#include "runtime/real/helper_threads.h"
#include "runtime/real/host_clocks.h"
#include "runtime/real/host_files.h"
#include "runtime/real/local_datagrams.h"
#include "runtime/real/loop.h"
#include "runtime/real/mutex.h"
#include "runtime/real/text_log.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

int LoopCount(const RealWorldOptions& options) {
  if (options.loops > 0) return options.loops;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

struct RealWorld::Parts {
  // A loop has a store at most.
  explicit Parts(RealWorldOptions given) : options(std::move(given)), files(LoopCount(options)) {}

  // Destroying half-made parts is allowed: Create() gives up at the first error.
  ~Parts() {
    for (auto& loop : loops) loop->Stop();
    // Before the helper threads go: tasks that wait for their work need them to end.
    for (auto& loop : loops) {
      loop->DropAll([&] {
        if (network != nullptr) network->StopCallsOn(loop.get());
      });
    }
    network.reset();
  }

  const RealWorldOptions options;
  runtime::Metrics metrics;
  HostClocks clocks;
  HostFiles files;
  LocalDatagrams datagrams;
  std::unique_ptr<TextLog> log;
  std::unique_ptr<ChosenExperiments> experiments;
  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<HelperThreads> helpers;
  std::unique_ptr<GrpcNetwork> network;
};

namespace {

absl::StatusOr<std::unique_ptr<TextLog>> MakeLog(const RealWorldOptions& options) {
  switch (options.log) {
    case LogDestination::kNowhere:
      return TextLog::ToNowhere();
    case LogDestination::kStandardError:
      return TextLog::ToStandardError(options.log_minimum);
    case LogDestination::kFile:
      return TextLog::ToFile(options.log_file, options.log_minimum);
  }
  return absl::InvalidArgumentError("no such log destination");
}

uint64_t SeedFromSystem() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// A task that a thread outside the loops waits for.
class RootTask final : private runtime::internal::TaskObserver {
 public:
  explicit RootTask(runtime::Task<void> task) : task_(std::move(task)) {}

  // On the loop.
  void Start() { task_.Start(/*cancel=*/nullptr, this); }

  // Off the loop.
  void WaitForEnd() {
    MutexLock lock(&mutex_);
    while (!ended_) changed_.Wait(&mutex_);
  }

 private:
  void TaskEnded() override {
    task_ = runtime::Task<void>();  // Its frame belongs to the loop, so it goes here.
    MutexLock lock(&mutex_);
    ended_ = true;
    changed_.NotifyAll();  // Under the lock: the waiter destroys *this.
  }

  runtime::Task<void> task_;
  Mutex mutex_;
  Condition changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcNetwork>> RealWorld::MakeNetwork(Parts* parts) {
  GrpcNetworkWorld world{{}, &parts->clocks, parts->log.get(), &parts->metrics};
  for (auto& loop : parts->loops) world.loops.push_back(loop.get());
  const RealWorldOptions& options = parts->options;
  return GrpcNetwork::Create({options.node, options.listen_address, options.tls, options.calls_max,
                              options.queue_bytes_max, options.batch_bytes_max},
                             world);
}

absl::StatusOr<std::unique_ptr<RealWorld>> RealWorld::Create(RealWorldOptions options) {
  if (options.loops < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the number of event loops cannot be ", options.loops));
  }
  if (options.helper_threads <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the number of helper threads cannot be ", options.helper_threads));
  }
  auto parts = std::make_unique<Parts>(std::move(options));
  ASSIGN_OR_RETURN(parts->log, MakeLog(parts->options));
  parts->experiments = std::make_unique<ChosenExperiments>(parts->options.without_rules);
  const int loops = LoopCount(parts->options);
  runtime::Random seeds(parts->options.seed.value_or(SeedFromSystem()));
  for (int i = 0; i < loops; ++i) {
    parts->loops.push_back(std::make_unique<Loop>(seeds.Next()));
    RETURN_IF_ERROR(parts->loops.back()->Start());
  }
  parts->helpers = std::make_unique<HelperThreads>(parts->options.helper_threads);
  ASSIGN_OR_RETURN(parts->network, MakeNetwork(parts.get()));
  return std::unique_ptr<RealWorld>(new RealWorld(std::move(parts)));
}

RealWorld::RealWorld(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RealWorld::~RealWorld() {
  CHECK(runtime::Executor::CurrentOrNull() == nullptr) << "a world cannot end on its own loop";
}

void RealWorld::RunToEnd(runtime::Task<void> task) {
  CHECK(runtime::Executor::CurrentOrNull() == nullptr)
      << "a loop must not block: co_await the task";
  RootTask root(std::move(task));
  loop(0).Post([&root] { root.Start(); });
  root.WaitForEnd();
}

int RealWorld::port() const { return parts_->network->port(); }
runtime::NodeId RealWorld::node() const { return parts_->options.node; }
int RealWorld::loop_count() const { return static_cast<int>(parts_->loops.size()); }

runtime::Executor& RealWorld::loop(int index) {
  CHECK(index >= 0 && index < loop_count()) << "loop " << index << " of " << loop_count();
  return *parts_->loops[static_cast<size_t>(index)];
}

runtime::Clocks& RealWorld::clocks() { return parts_->clocks; }
runtime::Network& RealWorld::network() { return *parts_->network; }
runtime::Datagrams& RealWorld::datagrams() { return parts_->datagrams; }
leveldb::Env& RealWorld::files() { return parts_->files; }
runtime::Blocking& RealWorld::blocking() { return *parts_->helpers; }
runtime::Log& RealWorld::log() { return *parts_->log; }
runtime::Metrics& RealWorld::metrics() { return parts_->metrics; }
runtime::Experiments& RealWorld::experiments() { return *parts_->experiments; }
runtime::Random& RealWorld::random() { return Loop::Current().random(); }

}  // namespace real
