#include "simulation/paxos_cluster.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "simulation/drawn_options.h"
#include "simulation/membership_operator.h"
#include "simulation/register_client.h"
#include "workload/linearizability.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::Random;
using runtime::operator""ms;
using runtime::operator""s;
using simulated::NodeWorld;
using simulated::Universe;
using storage::GroupId;

// A promise that was made under a clock stepped by seconds has to be overtaken by true time, and
// readings have to agree again.
constexpr Duration kClocksSettle = 90s;
constexpr Duration kMembersSettle = 60s;
constexpr Duration kReplicasSettle = 20s;
constexpr int kReadAttempts = 5;
constexpr Duration kPause = 1s;
// The last operations of the clients end.
constexpr Duration kClientsEnd = 4s;
constexpr uint32_t kFirstClient = 101;
constexpr uint32_t kOperator = 91;
// From these on, clients are no clients of the chaos.
constexpr uint64_t kProverIds = 1000;

// Clients on a machine of their own.
class ClientsProgram final : public simulated::NodeProgram {
 public:
  ClientsProgram(Universe* universe, NodeWorld* world, PaxosTruth* truth,
                 std::vector<RegisterClientOptions> clients)
      : scope_(world->loop(0)) {
    for (RegisterClientOptions& options : clients) {
      clients_.push_back(
          std::make_unique<RegisterClient>(universe, world, truth, std::move(options)));
      scope_.Spawn(clients_.back()->Run());
    }
  }

 private:
  std::vector<std::unique_ptr<RegisterClient>> clients_;
  runtime::TaskScope scope_;
};

runtime::Task<void> ProveAlive(std::unique_ptr<RegisterClient> client, GroupId group, int* proved) {
  if ((co_await client->ProveAlive(group)).ok()) ++*proved;
}

runtime::Task<void> CountUp(runtime::Task<void> task, int* count) {
  co_await std::move(task);
  ++*count;
}

}  // namespace

PaxosCluster::PaxosCluster(Universe* universe, PaxosClusterOptions options)
    : universe_(*universe),
      options_(options),
      truth_(universe),
      watchers_(universe, &truth_, options.clocks_lie),
      calm_(!options.stirs) {
  DrawOptions();
  for (int i = 1; i <= options_.nodes; ++i) nodes_.emplace_back(static_cast<uint32_t>(i));
  node_options_.of_host.nodes = nodes_;
  AddGroups();
  AddNodes();
  AddClients();
}

void PaxosCluster::DrawOptions() {
  Random& random = universe_.random();
  node_options_.of_host.host = DrawHostOptions(&random);
  value_bytes_max_ = OneOf<int64_t>(&random, {0, 50, 1'000});
  node_options_.of_host.compares_clocks = !options_.clocks_lie || random.Chance(0.5);
  node_options_.of_host.host.log_given_bytes_max = OneOf<size_t>(&random, {0, 4 << 10, 1 << 30});
}

void PaxosCluster::AddGroups() {
  for (int i = 1; i <= options_.groups; ++i) {
    std::vector<NodeId> members;
    const auto first = universe_.random().Uniform(0, options_.nodes - 1);
    for (int j = 0; j < options_.voters; ++j) {
      members.push_back(nodes_[static_cast<size_t>((first + j) % options_.nodes)]);
    }
    truth_.AddGroup(GroupId(static_cast<uint64_t>(i)), paxos::Configuration::Initial(members));
  }
}

void PaxosCluster::AddNodes() {
  for (const NodeId id : nodes_) {
    simulated::NodeOptions options;
    options.program = [this](runtime::World& world) {
      return std::make_unique<PaxosNode>(&universe_, static_cast<NodeWorld*>(&world), &truth_,
                                         node_options_);
    };
    universe_.AddNode(id, options);
  }
}

RegisterClientOptions PaxosCluster::ClientOptions(uint64_t id) const {
  RegisterClientOptions options;
  options.id = id;
  options.nodes = nodes_;
  options.value_bytes_max = value_bytes_max_;
  return options;
}

void PaxosCluster::AddClients() {
  uint64_t next = 1;
  for (int i = 0; i < options_.client_nodes; ++i) {
    std::vector<RegisterClientOptions> clients;
    for (int j = 0; j < options_.clients_per_node; ++j) clients.push_back(ClientOptions(next++));
    simulated::NodeOptions options;
    options.program = [this, clients](runtime::World& world) {
      return std::make_unique<ClientsProgram>(&universe_, static_cast<NodeWorld*>(&world), &truth_,
                                              clients);
    };
    universe_.AddNode(NodeId(kFirstClient + static_cast<uint32_t>(i)), options);
  }
  if (!options_.changes_members) return;
  simulated::NodeOptions options;
  options.program = [this](runtime::World& world) {
    MembershipOperatorOptions of_operator;
    of_operator.client = ClientOptions(kOperator);
    of_operator.client.call_timeout = 5s;
    of_operator.client.operation_max = 6s;
    of_operator.voters = static_cast<size_t>(options_.voters);
    return std::make_unique<MembershipOperator>(&universe_, static_cast<NodeWorld*>(&world),
                                                &truth_, &calm_, of_operator);
  };
  universe_.AddNode(NodeId(kOperator), options);
}

std::vector<PaxosNode*> PaxosCluster::Programs() const {
  std::vector<PaxosNode*> programs;
  for (const NodeId id : nodes_) {
    PaxosNode* const program = FindPaxosNode(universe_.node(id));
    if (program != nullptr) programs.push_back(program);
  }
  return programs;
}

void PaxosCluster::Chaos(std::vector<Harm> harms, Duration length) {
  nemesis_.emplace(&universe_, NemesisOptions{.harms = std::move(harms)});
  int ended = 0;
  universe_.Spawn(CountUp(nemesis_->Reign(length), &ended));
  // The nemesis may be at rest when its reign ends.
  universe_.RunUntil([&ended] { return ended > 0; }, length + 60s);
  universe_.experiments().SetBuggify(false);
  calm_ = true;
}

void PaxosCluster::FailForLife(absl::string_view what) {
  std::string text = absl::StrCat("LIVENESS: ", std::string(what));
  for (const NodeId id : nodes_) {
    const PaxosNode* const program = FindPaxosNode(universe_.node(id));
    absl::StrAppend(&text, "; node ", id.value(),
                    program == nullptr ? " down" : program->Describe());
  }
  universe_.Fail(text);
}

bool PaxosCluster::AllHealthy() const {
  for (const NodeId id : nodes_) {
    const PaxosNode* const program = FindPaxosNode(universe_.node(id));
    if (program == nullptr || !program->healthy()) return false;
  }
  return true;
}

bool PaxosCluster::AllSettled() const {
  if (!options_.changes_members) return true;
  for (const auto& [group, founding] : truth_.beginning.groups) {
    if (!MembershipOperator::Settled(universe_, truth_, group,
                                     static_cast<size_t>(options_.voters))) {
      return false;
    }
  }
  return true;
}

void PaxosCluster::Settle() {
  if (!universe_.violation().ok()) return;
  // A clock that has lied is found out by its next reading.
  if (options_.clocks_lie) universe_.RunFor(2 * node_options_.of_host.truetime.poll_period);
  if (!universe_.RunUntil([this] { return AllHealthy(); }, kClocksSettle)) {
    return FailForLife("a node is not well long after all has healed");
  }
  if (!universe_.RunUntil([this] { return AllSettled(); }, kMembersSettle)) {
    return FailForLife("a group does not get the members that it is to have");
  }
}

void PaxosCluster::DemandLife() {
  if (!universe_.violation().ok()) return;
  int proved = 0;
  int begun = 0;
  for (const NodeId id : nodes_) {
    begun += BeginProofs(FindPaxosNode(universe_.node(id)), id, &proved);
  }
  if (!universe_.RunUntil([&] { return proved == begun; }, 3 * lease())) {
    FailForLife(absl::StrCat("three leases after all was well, ", begun - proved, " of ", begun,
                             " nodes and groups have no write and read"));
  }
}

int PaxosCluster::BeginProofs(PaxosNode* node, NodeId id, int* proved) {
  for (const auto& [group, founding] : truth_.beginning.groups) {
    auto client = std::make_unique<RegisterClient>(&universe_, &universe_.node(id), &truth_,
                                                   ClientOptions(kProverIds + id.value()));
    node->Spawn(ProveAlive(std::move(client), group, proved));
  }
  return static_cast<int>(truth_.beginning.groups.size());
}

void PaxosCluster::DemandLifeBesideAStalledDisk() {
  if (!universe_.violation().ok()) return;
  const auto leads = std::find_if(nodes_.begin(), nodes_.end(), [this](NodeId id) {
    const auto groups = FindPaxosNode(universe_.node(id))->host()->groups();
    return std::any_of(groups.begin(), groups.end(),
                       [](const auto& group) { return group->leading().has_value(); });
  });
  if (leads == nodes_.end()) return;
  universe_.node(*leads).disk().Stall(4 * lease());
  const NodeId other = *leads == nodes_.front() ? nodes_.back() : nodes_.front();
  int proved = 0;
  const int begun = BeginProofs(FindPaxosNode(universe_.node(other)), other, &proved);
  if (!universe_.RunUntil([&] { return proved == begun; }, 3 * lease())) {
    FailForLife(absl::StrCat("PX-STALL: three leases after the disk of node ", leads->value(),
                             " stood still, ", begun - proved, " of ", begun,
                             " groups have no write and read"));
  }
  universe_.RunFor(2 * lease());
}

bool PaxosCluster::AllApplied() const {
  for (const auto& [group, truth] : truth_.groups) {
    for (const paxos::Member& member : truth->configuration().members()) {
      const PaxosNode* const program = FindPaxosNode(universe_.node(member.node));
      if (program == nullptr || program->host() == nullptr) return false;
      const std::shared_ptr<paxos::Group> here = program->host()->FindGroup(group);
      if (here == nullptr || !here->installed() || here->applied() < truth->known_through()) {
        return false;
      }
    }
  }
  return true;
}

bool PaxosCluster::AllReadable() {
  const std::vector<PaxosNode*> programs = Programs();
  const auto all = static_cast<int>(programs.size());
  PaxosNode::Contents contents;
  int scrubbed = 0;
  for (PaxosNode* const program : programs) {
    program->Spawn(CountUp(program->Scrub(&contents), &scrubbed));
  }
  if (!universe_.RunUntil([&] { return scrubbed == all; }, kReplicasSettle)) return false;
  for (const auto& [group, truth] : truth_.groups) {
    for (const paxos::Member& member : truth->configuration().members()) {
      const auto found = contents.find({group, member.node});
      if (found == contents.end() || found->second.applied < truth->known_through()) return false;
    }
  }
  return true;
}

void PaxosCluster::DemandEquality() {
  if (!universe_.violation().ok()) return;
  truth_.quiet = true;
  universe_.RunFor(kClientsEnd);
  // A bit that turned may be found only now, and is repaired then.
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    if (!universe_.RunUntil([this] { return AllApplied(); }, kReplicasSettle)) {
      return FailForLife("a replica does not catch up long after all has healed");
    }
    if (AllReadable() || !universe_.violation().ok()) return;
    universe_.RunFor(kPause);
  }
  FailForLife("a replica cannot be read whole");
}

void PaxosCluster::JudgeHistory() {
  if (!universe_.violation().ok() || options_.clocks_lie) return;
  universe_.Note(truth_.history.operations().size());
  const absl::Status judged = workload::CheckLinearizable(truth_.history.operations());
  if (!judged.ok()) universe_.Fail(absl::StrCat("LINEARIZABLE: ", std::string(judged.message())));
}

}  // namespace simulation
