// The kinds of harm (nemesis.h), and how each is done to a simulated machine.
#include <utility>

#include "simulation/nemesis.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::Random;
using simulated::NodeWorld;
using simulated::Universe;
using runtime::operator""ms;
using runtime::operator""s;

void Nothing() {}

// Up to a second, mostly much less; either way.
Duration SomeStep(Random* random) {
  const Duration most = random->Chance(0.5) ? 30ms : 5s;
  return random->Uniform(-most, most);
}

enum class Direction { kFrom, kTo };

using Change = std::function<void(simulated::LinkFaults*)>;

// Changes every link of `node` in one direction; returns what changes them back. Changes of several
// harms may lie over each other, so each takes back only what it did.
std::function<void()> Bend(Universe* universe, NodeId node, Direction direction, const Change& bend,
                           Change unbend) {
  std::vector<simulated::LinkFaults*> bent;
  for (const auto& [peer, other] : universe->nodes()) {
    if (peer == node) continue;
    bent.push_back(direction == Direction::kFrom ? &universe->link(node, peer)
                                                 : &universe->link(peer, node));
    bend(bent.back());
  }
  // Links stay where they are for as long as the universe lives.
  return [bent, unbend = std::move(unbend)] {
    for (simulated::LinkFaults* faults : bent) unbend(faults);
  };
}

void Cut(simulated::LinkFaults* faults) { faults->cut = true; }
void Mend(simulated::LinkFaults* faults) { faults->cut = false; }

void MakeLossy(simulated::LinkFaults* faults) {
  faults->loss = 0.2;
  faults->duplication = 0.1;
  faults->reordering = 0.1;
}
void MakeReliable(simulated::LinkFaults* faults) {
  faults->loss = 0;
  faults->duplication = 0;
  faults->reordering = 0;
}

void MakeSlow(simulated::LinkFaults* faults) {
  faults->delay_mean = 100ms;
  faults->bytes_per_second = 10'000;
}
void MakeFast(simulated::LinkFaults* faults) {
  const simulated::LinkFaults usual;
  faults->delay_mean = usual.delay_mean;
  faults->bytes_per_second = usual.bytes_per_second;
}

// Two groups, drawn, with `node` in the first.
std::vector<std::vector<NodeId>> SplitAround(Universe* universe, NodeId node) {
  std::vector<std::vector<NodeId>> groups(2);
  for (const auto& [id, other] : universe->nodes()) {
    groups[id == node || universe->random().Chance(0.3) ? 0 : 1].push_back(id);
  }
  return groups;
}

}  // namespace

std::vector<Harm> ProcessHarms(Universe*) {
  return {{"crash",
           [](NodeWorld* node) -> std::function<void()> {
             if (!node->running() || node->clock().suspended()) return nullptr;
             node->Crash();
             return [node] {
               if (!node->running()) node->Restart();
             };
           }},
          {"pause",
           [](NodeWorld* node) -> std::function<void()> {
             if (!node->running() || node->paused()) return nullptr;
             node->Pause();
             return [node] {
               // Nothing runs on a machine that was suspended meanwhile.
               if (node->running() && !node->clock().suspended()) node->Resume();
             };
           }},
          {"suspend", [](NodeWorld* node) -> std::function<void()> {
             if (!node->running() || node->paused()) return nullptr;
             node->Suspend();
             return [node] { node->Wake(); };
           }}};
}

std::vector<Harm> ClockHarms(Universe* universe) {
  return {{"lose-sources",
           [](NodeWorld* node) -> std::function<void()> {
             node->time_daemon().LoseSources();
             return [node] { node->time_daemon().RegainSources(); };
           }},
          {"silent-daemon",
           [](NodeWorld* node) -> std::function<void()> {
             node->time_daemon().SetSilent(true);
             return [node] { node->time_daemon().SetSilent(false); };
           }},
          {"step-realtime",
           [universe](NodeWorld* node) -> std::function<void()> {
             node->time_daemon().StepRealtime(SomeStep(&universe->random()));
             return Nothing;
           }},
          {"slew-realtime",
           [universe](NodeWorld* node) -> std::function<void()> {
             // As fast as the kernel allows between two polls (TT-BOUND).
             node->clock().Slew(SomeStep(&universe->random()), 83'000'000);
             return Nothing;
           }},
          {"turn-oscillator",
           [universe](NodeWorld* node) -> std::function<void()> {
             node->clock().SetDrift(universe->random().Chance(0.5) ? 200 : -200);
             return Nothing;
           }},
          {"wide-bound", [](NodeWorld* node) -> std::function<void()> {
             node->time_daemon().SetBound(40ms, 20ms);
             return [node] {
               const simulated::TimeDaemonOptions usual;
               node->time_daemon().SetBound(usual.root_delay, usual.root_dispersion);
             };
           }}};
}

std::vector<Harm> NetworkHarms(Universe* universe) {
  return {{"partition",
           [universe](NodeWorld* node) -> std::function<void()> {
             universe->Partition(SplitAround(universe, node->node()));
             return [universe] { universe->Partition({}); };
           }},
          {"deaf",
           [universe](NodeWorld* node) {
             return Bend(universe, node->node(), Direction::kTo, Cut, Mend);
           }},
          {"mute",
           [universe](NodeWorld* node) {
             return Bend(universe, node->node(), Direction::kFrom, Cut, Mend);
           }},
          {"lossy-links",
           [universe](NodeWorld* node) {
             return Bend(universe, node->node(), Direction::kFrom, MakeLossy, MakeReliable);
           }},
          {"slow-links",
           [universe](NodeWorld* node) {
             return Bend(universe, node->node(), Direction::kTo, MakeSlow, MakeFast);
           }},
          {"clog",
           [universe](NodeWorld* node) -> std::function<void()> {
             const Duration length = universe->random().Exponential(1s);
             for (const auto& [peer, other] : universe->nodes()) {
               universe->Clog(node->node(), peer, length);
             }
             return Nothing;
           }},
          {"break-connections", [universe](NodeWorld* node) -> std::function<void()> {
             for (const auto& [peer, other] : universe->nodes()) {
               if (peer != node->node()) universe->BreakConnection(node->node(), peer);
             }
             return Nothing;
           }}};
}

std::vector<Harm> DiskHarms(Universe* universe) {
  return {{"failing-writes",
           [](NodeWorld* node) -> std::function<void()> {
             node->disk().faults().write_error = 0.05;
             return [node] { node->disk().faults().write_error = 0; };
           }},
          {"failing-syncs",
           [](NodeWorld* node) -> std::function<void()> {
             node->disk().faults().sync_error = 0.2;
             return [node] { node->disk().faults().sync_error = 0; };
           }},
          {"one-failing-sync",
           [](NodeWorld* node) -> std::function<void()> {
             node->disk().faults().fail_next_sync = true;
             return Nothing;
           }},
          {"stalled-disk",
           [universe](NodeWorld* node) -> std::function<void()> {
             node->disk().Stall(universe->random().Exponential(500ms));
             return Nothing;
           }},
          {"full-disk", [](NodeWorld* node) -> std::function<void()> {
             node->disk().SetCapacity(node->disk().used_bytes());
             return [node] { node->disk().SetCapacity(simulated::DiskOptions().capacity_bytes); };
           }}};
}

}  // namespace simulation
