#include "runtime/simulated/universe.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace simulated {
namespace {

// What each of a universe's random streams is for.
enum class Stream : uint64_t {
  kHash = 1,
  kScheduler,
  kNemesis,
  kExperiments,
  kExecutor,
  kNode,
  kWire
};

uint64_t StreamSeed(uint64_t seed, Stream stream) {
  return Mix(seed, static_cast<uint64_t>(stream));
}

}  // namespace

Universe::Universe(uint64_t seed, UniverseOptions options)
    : seed_(seed),
      options_(std::move(options)),
      recorder_(StreamSeed(seed, Stream::kHash), options_.epoch),
      scheduler_(StreamSeed(seed, Stream::kScheduler), &recorder_),
      random_(StreamSeed(seed, Stream::kNemesis)),
      experiments_(&recorder_, StreamSeed(seed, Stream::kExperiments), options_.without,
                   options_.buggify),
      wire_(&scheduler_, options_.link, StreamSeed(seed, Stream::kWire),
            [this](NodeId node) { return nodes_.contains(node); }),
      executor_(std::make_unique<SimulatedExecutor>(
          &scheduler_, NodeId(), 0, StreamSeed(seed, Stream::kExecutor), Duration::zero())) {
  tasks_.emplace(*executor_);
}

Universe::~Universe() {
  // Clients and the nemesis may hold on to nodes, never the other way round.
  executor_->Crash();
  executor_->Do([this] { tasks_.reset(); });
  executor_->DropPosted();
  between_events_.clear();
  nodes_.clear();
}

void Universe::Spawn(runtime::Task<void> task) {
  executor_->Do([&] { tasks_->Spawn(std::move(task)); });
}

NodeWorld& Universe::AddNode(NodeId node, NodeOptions options) {
  const uint64_t seed = Mix(StreamSeed(seed_, Stream::kNode), node.value());
  auto [added, is_new] =
      nodes_.try_emplace(node, std::make_unique<NodeWorld>(this, node, std::move(options), seed));
  CHECK(is_new) << "node " << node << " was added twice";
  NodeWorld& world = *added->second;
  BetweenEvents([&world] { world.Start(); });
  return world;
}

NodeWorld& Universe::node(NodeId node) {
  NodeWorld* const found = FindNode(node);
  CHECK(found != nullptr) << "there is no node " << node;
  return *found;
}

NodeWorld* Universe::FindNode(NodeId node) {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : found->second.get();
}

bool Universe::Step() {
  CHECK(!in_event_) << "Step() was called from inside an event";
  RunBetweenEvents();
  if (!violation_.ok()) return false;
  in_event_ = true;
  const bool happened = scheduler_.Step();
  in_event_ = false;
  RunBetweenEvents();
  RunWatchers();
  if (scheduler_.events_at_this_moment() > options_.events_at_one_moment_max) {
    Fail(absl::StrCat("SIM-STUCK: ", options_.events_at_one_moment_max,
                      " events happened and time did not move"));
  }
  return happened;
}

void Universe::RunFor(Duration length) {
  RunUntil([] { return false; }, length);
}

bool Universe::RunUntil(const std::function<bool()>& condition, Duration limit) {
  const MonotonicTime end = now() + limit;
  RunBetweenEvents();
  if (condition()) return true;
  while (violation_.ok() && scheduler_.NextTime() <= end && Step()) {
    if (condition()) return true;
  }
  if (violation_.ok() && now() < end) recorder_.AdvanceTo(end);
  return false;
}

void Universe::Fail(absl::string_view violation) {
  if (!violation_.ok()) return;
  violation_ = absl::InternalError(violation);
  Trace(absl::StrCat("VIOLATION ", violation));
}

void Universe::BetweenEvents(absl::AnyInvocable<void()> action) {
  AfterThisEvent(std::move(action));
  if (!in_event_) RunBetweenEvents();
}

void Universe::AfterThisEvent(absl::AnyInvocable<void()> action) {
  between_events_.push_back(std::move(action));
}

void Universe::RunBetweenEvents() {
  // An action may ask for another: that one waits for its turn.
  if (between_events_.empty() || acting_) return;
  acting_ = true;
  while (!between_events_.empty()) {
    absl::AnyInvocable<void()> action = std::move(between_events_.front());
    between_events_.pop_front();
    action();
  }
  acting_ = false;
}

void Universe::RunWatchers() {
  for (const auto& watcher : watchers_) watcher();
}

}  // namespace simulated
