#include "runtime/simulated/node_world.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/metrics.h"
#include "runtime/simulated/simulated_blocking.h"
#include "runtime/simulated/simulated_env.h"
#include "runtime/simulated/simulated_experiments.h"
#include "runtime/simulated/simulated_log.h"
#include "runtime/simulated/universe.h"

namespace simulated {
namespace {

// What each of a node's random streams is for.
enum class Stream : uint64_t {
  kClock = 1,
  kTimeDaemon,
  kMonotonicStart,
  kLoop,
  kDisk,
  kDatagrams,
  kBlocking
};

uint64_t StreamSeed(uint64_t seed, Stream stream, uint64_t index = 0) {
  return Mix(Mix(seed, static_cast<uint64_t>(stream)), index);
}

Duration DrawMonotonicStart(uint64_t seed) {
  return runtime::Random(StreamSeed(seed, Stream::kMonotonicStart)).Uniform(1s, 1'000'000s);
}

}  // namespace

// One run of the node's program, and what it has of the world. Members are destroyed in the
// opposite order: the program before what it uses, the loops last.
struct NodeWorld::Incarnation {
  Incarnation(NodeWorld* world, uint64_t number);

  const uint64_t number;
  const std::vector<std::unique_ptr<SimulatedExecutor>> loops;
  runtime::Metrics metrics;
  SimulatedLog log;
  SimulatedNetwork network;
  SimulatedDatagrams datagrams;
  SimulatedEnv files;
  SimulatedBlocking blocking;
  std::unique_ptr<NodeProgram> program;
};

NodeWorld::Incarnation::Incarnation(NodeWorld* world, uint64_t incarnation)
    : number(incarnation),
      loops(world->MakeLoops(incarnation)),
      log(&world->universe_.recorder(), world->node_),
      network(&world->universe_.wire(), world->node_, incarnation, world->options_.network,
              &world->clock_, &metrics, loops[0].get()),
      datagrams(&world->datagram_host_),
      files(&world->disk_),
      blocking(&world->universe_.scheduler(), &world->disk_, world->options_.blocking_threads,
               StreamSeed(world->seed_, Stream::kBlocking, incarnation)) {}

NodeWorld::NodeWorld(Universe* universe, NodeId node, NodeOptions options, uint64_t seed)
    : universe_(*universe),
      node_(node),
      options_(std::move(options)),
      seed_(seed),
      monotonic_start_(DrawMonotonicStart(seed)),
      clock_(&universe->recorder(), node, options_.clock, StreamSeed(seed, Stream::kClock)),
      time_daemon_(&universe->recorder(), node, &clock_, options_.time_daemon,
                   StreamSeed(seed, Stream::kTimeDaemon)),
      disk_(&universe->recorder(), node, options_.disk, StreamSeed(seed, Stream::kDisk)),
      datagram_host_(&universe->scheduler(), node, StreamSeed(seed, Stream::kDatagrams)) {
  CHECK_GT(options_.loops, 0);
  CHECK_GT(options_.blocking_threads, 0);
  // For who calls LevelDB outside Blocking.
  disk_.SetBackgroundListener(
      [this] { universe_.AfterThisEvent([this] { disk_.RunBackgroundWork(); }); });
}

NodeWorld::~NodeWorld() { CrashNow(); }

runtime::Executor& NodeWorld::loop(int index) {
  CHECK(index >= 0 && index < options_.loops) << "loop " << index;
  return *alive().loops[static_cast<size_t>(index)];
}

runtime::Network& NodeWorld::network() { return alive().network; }
runtime::Datagrams& NodeWorld::datagrams() { return alive().datagrams; }
leveldb::Env& NodeWorld::files() { return alive().files; }
runtime::Blocking& NodeWorld::blocking() { return alive().blocking; }
runtime::Log& NodeWorld::log() { return alive().log; }
runtime::Metrics& NodeWorld::metrics() { return alive().metrics; }
runtime::Experiments& NodeWorld::experiments() { return universe_.experiments(); }

runtime::Random& NodeWorld::random() {
  return static_cast<SimulatedExecutor&>(runtime::Executor::Current()).random();
}

void NodeWorld::Crash() {
  universe_.BetweenEvents([this] { CrashNow(); });
}

void NodeWorld::Restart() {
  universe_.BetweenEvents([this] {
    CrashNow();
    Start();
  });
}

void NodeWorld::Pause() {
  universe_.BetweenEvents([this] { SetPausedNow(true); });
}

void NodeWorld::Resume() {
  universe_.BetweenEvents([this] { SetPausedNow(false); });
}

void NodeWorld::Suspend() {
  universe_.BetweenEvents([this] {
    SetPausedNow(true);
    clock_.Suspend();
  });
}

void NodeWorld::Wake() {
  universe_.BetweenEvents([this] {
    clock_.Wake();
    SetPausedNow(false);
  });
}

NodeProgram* NodeWorld::program() const {
  return incarnation_ == nullptr ? nullptr : incarnation_->program.get();
}

void NodeWorld::Start() {
  CHECK(incarnation_ == nullptr);
  Record("start");
  clock_.Wake();
  incarnation_ = std::make_unique<Incarnation>(this, ++incarnations_);
  if (!options_.program) return;
  loop(0).Post([this] { incarnation_->program = options_.program(*this); });
}

std::vector<std::unique_ptr<SimulatedExecutor>> NodeWorld::MakeLoops(uint64_t incarnation) {
  std::vector<std::unique_ptr<SimulatedExecutor>> loops;
  for (int i = 0; i < options_.loops; ++i) {
    const uint64_t index = incarnation << 16 | static_cast<uint64_t>(i);
    const uint64_t id = uint64_t{node_.value()} << 40 | index;
    loops.push_back(std::make_unique<SimulatedExecutor>(&universe_.scheduler(), node_, id,
                                                        StreamSeed(seed_, Stream::kLoop, index),
                                                        monotonic_start_));
  }
  return loops;
}

void NodeWorld::CrashNow() {
  if (incarnation_ == nullptr) return;
  Record("crash");
  Incarnation& dying = *incarnation_;
  // LevelDB's destructor waits for background work that it has scheduled: it runs now, and fails.
  dying.files.Close();
  disk_.RunBackgroundWork();
  // Whatever destructors make ready or post here is dropped, on every loop, before it could run.
  for (auto& loop : dying.loops) loop->Crash();
  dying.network.Crash();
  dying.loops[0]->Do([&dying] { dying.program.reset(); });
  for (auto& loop : dying.loops) loop->DropPosted();
  paused_ = false;
  incarnation_.reset();
  disk_.Crash();
}

void NodeWorld::SetPausedNow(bool paused) {
  if (incarnation_ == nullptr || paused_ == paused) return;
  paused_ = paused;
  Record(paused ? "pause" : "resume");
  for (auto& loop : incarnation_->loops) loop->SetPaused(paused);
  incarnation_->network.SetPaused(paused);
}

NodeWorld::Incarnation& NodeWorld::alive() const {
  CHECK(incarnation_ != nullptr) << "node " << node_ << " is down";
  return *incarnation_;
}

void NodeWorld::Record(const char* what) {
  Recorder& recorder = universe_.recorder();
  recorder.Fold(Happened::kNode, node_.value(), HashBytes(what));
  if (recorder.tracing()) recorder.Trace(node_, absl::StrCat(what, " #", incarnations_));
}

}  // namespace simulated
