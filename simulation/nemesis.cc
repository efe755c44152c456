#include "simulation/nemesis.h"

#include "absl/strings/str_cat.h"
#include "runtime/sleep.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::Random;
using simulated::NodeWorld;
using simulated::Universe;

// Keeps about half of the kinds, and at least one.
std::vector<Harm> Swarm(std::vector<Harm> harms, Random* random) {
  std::vector<Harm> kept;
  for (Harm& harm : harms) {
    if (random->Chance(0.5)) kept.push_back(std::move(harm));
  }
  if (kept.empty() && !harms.empty()) kept.push_back(std::move(harms.front()));
  return kept;
}

}  // namespace

std::vector<Harm> AllOf(std::initializer_list<std::vector<Harm>> kinds) {
  std::vector<Harm> all;
  for (const std::vector<Harm>& harms : kinds) all.insert(all.end(), harms.begin(), harms.end());
  return all;
}

Nemesis::Nemesis(Universe* universe, NemesisOptions options)
    : universe_(*universe), options_(std::move(options)), random_(universe->random().Fork()) {
  options_.harms = Swarm(std::move(options_.harms), &random_);
}

runtime::Task<void> Nemesis::Reign(Duration length) {
  const runtime::MonotonicTime end = universe_.now() + length;
  while (true) {
    if (!(co_await runtime::SleepFor(random_.Exponential(options_.blow_every))).ok()) co_return;
    if (universe_.now() >= end) break;
    Strike();
  }
  HealAll();
}

void Nemesis::Strike() {
  const auto victim = random_.Uniform(0, static_cast<int64_t>(universe_.nodes().size()) - 1);
  const auto kind = random_.Uniform(0, static_cast<int64_t>(options_.harms.size()) - 1);
  NodeWorld& node = *std::next(universe_.nodes().begin(), victim)->second;
  const Harm& harm = options_.harms[static_cast<size_t>(kind)];
  const std::string key = absl::StrCat(harm.name, " n", node.node().value());
  if (at_work_.contains(key)) return;
  std::function<void()> undo = harm.inflict(&node);
  if (undo == nullptr) return;
  if (universe_.tracing()) universe_.Trace(absl::StrCat("nemesis ", key));
  at_work_[key] = std::move(undo);
  universe_.Spawn(UndoLater(key));
}

runtime::Task<void> Nemesis::UndoLater(std::string key) {
  if (!(co_await runtime::SleepFor(random_.Exponential(options_.harm_lasts))).ok()) co_return;
  Undo(key);
}

void Nemesis::Undo(const std::string& key) {
  const auto found = at_work_.find(key);
  if (found == at_work_.end()) return;
  if (universe_.tracing()) universe_.Trace(absl::StrCat("nemesis ends ", key));
  const std::function<void()> undo = std::move(found->second);
  at_work_.erase(found);
  undo();
}

void Nemesis::HealAll() {
  while (!at_work_.empty()) Undo(at_work_.begin()->first);
}

}  // namespace simulation
