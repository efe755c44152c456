#include "simulation/paxos_harms.h"

#include <memory>
#include <utility>

#include "runtime/sleep.h"
#include "simulation/host_node.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::operator""ms;
using runtime::operator""s;
using simulated::NodeWorld;
using simulated::Universe;

void Nothing() {}

// Another voter of the group, drawn; 0 if there is none.
paxos::ReplicaId SomeOther(Universe* universe, const paxos::Group& group) {
  std::vector<paxos::ReplicaId> others;
  for (const paxos::Member& member : group.replica().configuration().members()) {
    if (member.voter && member.replica != group.replica().self()) others.push_back(member.replica);
  }
  if (others.empty()) return {};
  const auto last = static_cast<int64_t>(others.size()) - 1;
  return others[static_cast<size_t>(universe->random().Uniform(0, last))];
}

runtime::Task<void> HandOver(std::shared_ptr<paxos::Group> group, paxos::ReplicaId successor) {
  (co_await group->Abdicate(successor)).IgnoreError();
}

std::function<void()> HandOverAll(Universe* universe, NodeWorld* world) {
  HostNode* const node = FindHostNode(*world);
  if (node == nullptr || node->host() == nullptr) return nullptr;
  bool led = false;
  for (const std::shared_ptr<paxos::Group>& group : node->host()->groups()) {
    const paxos::ReplicaId successor = SomeOther(universe, *group);
    if (!group->leading() || successor == paxos::ReplicaId()) continue;
    node->Spawn(HandOver(group, successor));
    led = true;
  }
  if (!led) return nullptr;
  return Nothing;
}

runtime::Task<void> HandOverAgain(Universe* universe, NodeWorld* world,
                                  std::shared_ptr<bool> over) {
  while ((co_await runtime::SleepFor(universe->random().Exponential(100ms))).ok() && !*over) {
    HandOverAll(universe, world);
  }
}

std::function<void()> BeRestless(Universe* universe, NodeWorld* world) {
  auto over = std::make_shared<bool>(false);
  universe->Spawn(HandOverAgain(universe, world, over));
  return [over] { *over = true; };
}

// From now on the replicas on `preferred` are to lead; 0: whoever does.
void Prefer(Universe* universe, runtime::NodeId preferred) {
  for (const auto& [id, world] : universe->nodes()) {
    HostNode* const node = FindHostNode(*world);
    if (node == nullptr || node->host() == nullptr) continue;
    for (const std::shared_ptr<paxos::Group>& group : node->host()->groups()) {
      const paxos::Member* const member = group->replica().configuration().FindNode(preferred);
      group->SetPreferredLeader(member == nullptr ? paxos::ReplicaId() : member->replica);
    }
  }
}

void SetMute(Universe* universe, runtime::NodeId node, bool mute) {
  for (const auto& [peer, other] : universe->nodes()) {
    if (peer != node) universe->link(node, peer).cut = mute;
  }
}

runtime::Task<void> MuteLater(Universe* universe, runtime::NodeId node, Duration after,
                              std::shared_ptr<bool> over) {
  if (!(co_await runtime::SleepFor(after)).ok() || *over) co_return;
  SetMute(universe, node, true);
}

// What a leader is told comes late, and a little later nobody hears of it any more: votes that it
// asked for long ago are on their way while the others vote anew.
std::function<void()> TellLate(Universe* universe, NodeWorld* world) {
  HostNode* const node = FindHostNode(*world);
  if (node == nullptr || node->host() == nullptr) return nullptr;
  bool leads = false;
  for (const std::shared_ptr<paxos::Group>& group : node->host()->groups()) {
    leads = leads || group->leading().has_value();
  }
  if (!leads) return nullptr;
  const Duration late = universe->random().Uniform(300ms, 2s);
  for (const auto& [peer, other] : universe->nodes()) {
    if (peer != world->node()) universe->Clog(peer, world->node(), late);
  }
  auto over = std::make_shared<bool>(false);
  universe->Spawn(
      MuteLater(universe, world->node(), universe->random().Uniform(0s, late / 2), over));
  return [universe, id = world->node(), over] {
    *over = true;
    SetMute(universe, id, false);
  };
}

bool HasHost(const NodeWorld& world) { return FindHostNode(world) != nullptr; }

std::function<void()> CrashAll(Universe* universe) {
  std::vector<NodeWorld*> crashed;
  for (const auto& [id, node] : universe->nodes()) {
    if (!node->running() || node->clock().suspended()) continue;
    node->Crash();
    crashed.push_back(node.get());
  }
  return [crashed] {
    for (NodeWorld* const node : crashed) {
      if (!node->running()) node->Restart();
    }
  };
}

// The machine whose disk is bad, whichever one the nemesis has chosen; null if there is none.
NodeWorld* BadOne(Universe* universe, const PaxosTruth& truth) {
  return truth.bad_disks.empty() ? nullptr : &universe->node(*truth.bad_disks.begin());
}

// It runs, and can be crashed now.
bool CanCrash(NodeWorld& node) { return node.running() && !node.clock().suspended(); }

}  // namespace

std::vector<Harm> LeadHarms(Universe* universe) {
  return {
      {"told-late", [universe](NodeWorld* node) { return TellLate(universe, node); }},
      {"hand-over", [universe](NodeWorld* node) { return HandOverAll(universe, node); }},
      {"preferred-leader",
       [universe](NodeWorld* node) -> std::function<void()> {
         if (!HasHost(*node)) return nullptr;
         Prefer(universe, node->node());
         return [universe] { Prefer(universe, runtime::NodeId()); };
       }},
      {"reopened-host",
       [](NodeWorld* node) -> std::function<void()> {
         HostNode* const program = FindHostNode(*node);
         if (program == nullptr || program->host() == nullptr) return nullptr;
         program->Reopen();
         return Nothing;
       }},
      {"long-stall",
       [universe](NodeWorld* node) -> std::function<void()> {
         node->disk().Stall(universe->random().Uniform(1s, 6s));
         return Nothing;
       }},
      {"crash-all", [universe](NodeWorld*) { return CrashAll(universe); }},
  };
}

std::vector<Harm> RestlessLeadHarms(Universe* universe) {
  return {{"restless-lead", [universe](NodeWorld* node) { return BeRestless(universe, node); }}};
}

std::vector<Harm> DamageHarms(Universe* universe, PaxosTruth* truth) {
  return {{"flipped-bit",
           [universe, truth](NodeWorld*) -> std::function<void()> {
             NodeWorld* const bad = BadOne(universe, *truth);
             if (bad == nullptr) return nullptr;
             bad->disk().FlipRandomBit();
             return Nothing;
           }},
          {"flipped-bit-and-crash",
           [universe, truth](NodeWorld*) -> std::function<void()> {
             NodeWorld* const bad = BadOne(universe, *truth);
             if (bad == nullptr || !CanCrash(*bad)) return nullptr;
             bad->Crash();
             bad->disk().FlipRandomBit();
             return [bad] {
               if (!bad->running()) bad->Restart();
             };
           }},
          {"lost-disk", [universe, truth](NodeWorld*) -> std::function<void()> {
             NodeWorld* const bad = BadOne(universe, *truth);
             if (bad == nullptr || !CanCrash(*bad)) return nullptr;
             bad->Crash();
             // The crash comes after this event, and the loss after the crash.
             universe->AfterThisEvent([truth, bad] {
               bad->disk().Wipe();
               truth->LostLog(bad->node());
             });
             return [bad] {
               if (!bad->running()) bad->Restart();
             };
           }}};
}

std::vector<Harm> LyingHarms(Universe* universe) {
  const auto lie = [universe] {
    const Duration size = universe->random().Uniform(10ms, 3s);
    return universe->random().Chance(0.5) ? size : -size;
  };
  return {{"lying-daemon",
           [lie](NodeWorld* node) -> std::function<void()> {
             node->time_daemon().Lie(lie());
             return [node] { node->time_daemon().Lie(Duration::zero()); };
           }},
          {"born-liar",
           [lie](NodeWorld* node) -> std::function<void()> {
             if (!node->running() || node->clock().suspended()) return nullptr;
             node->Crash();
             node->time_daemon().Lie(lie());
             node->Restart();
             return [node] { node->time_daemon().Lie(Duration::zero()); };
           }},
          {"wild-oscillator", [universe](NodeWorld* node) -> std::function<void()> {
             node->clock().SetDrift(universe->random().Chance(0.5) ? 20'000 : -20'000);
             return [node] { node->clock().SetDrift(0); };
           }}};
}

}  // namespace simulation
