#include "simulation/transaction_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/group.h"
#include "txn/shard.h"

namespace simulation {

using storage::GroupId;

TransactionNode::TransactionNode(simulated::Universe* universe, simulated::NodeWorld* world,
                                 TransactionTruth* truth, TransactionNodeOptions options)
    : HostNode(universe, world, world, &truth->beginning, options.of_host),
      truth_(*truth),
      map_(truth->shards),
      shards_(world, &truetime(), &map_, options.shards),
      gateway_(world, &truetime(), &map_, &shards_, options.gateway) {
  Begin();
  for (int i = 0; i < options.clients; ++i) {
    clients_.push_back(std::make_unique<TransactionClient>(&truth_, NewClient(), options.client));
    Spawn(clients_.back()->Run());
  }
}

workload::WorkloadClient TransactionNode::NewClient() {
  return {.gateway = &gateway_,
          .random = &world().random(),
          .journal = &truth_.journal,
          .process = truth_.journal.NewProcess()};
}

size_t TransactionNode::busy() const {
  return static_cast<size_t>(std::count_if(clients_.begin(), clients_.end(),
                                           [](const auto& client) { return client->busy(); }));
}

paxos::StateMachineFactory TransactionNode::Factory() {
  return shards_.Factory([truth = &truth_](GroupId group) {
    const txn::ShardLocation& shard = truth->shards.at(group.value() - 1);
    return txn::ShardDescriptor{.range = shard.range, .generation = shard.generation};
  });
}

void TransactionNode::LostLog(const absl::Status& why) {
  universe().Fail(absl::StrCat(
      "PX-CHECKSUM: node ", world().node().value(),
      " says that its log is damaged, and nobody damaged it: ", std::string(why.message())));
}

const txn::ShardMachine* TransactionNode::FindMachine(GroupId group) const {
  const auto here = host() == nullptr ? nullptr : host()->FindGroup(group);
  return here == nullptr ? nullptr : dynamic_cast<txn::ShardMachine*>(&here->state_machine());
}

std::string TransactionNode::Unrest() {
  std::string text;
  const auto say = [&text](GroupId group, size_t count, const char* what) {
    if (count > 0) absl::StrAppend(&text, " group ", group.value(), ": ", count, " ", what, ";");
  };
  for (const auto& [group, founding] : truth_.beginning.groups) {
    if (founding.FindNode(world().node()) == nullptr) continue;
    const txn::ShardMachine* const machine = FindMachine(group);
    txn::Shard* const shard = shards_.FindShard(group);
    if (machine == nullptr || shard == nullptr) {
      say(group, 1, "replica is not there");
      continue;
    }
    say(group, machine->prepared().size(), "are prepared");
    say(group, machine->waiting().size(), "outcomes are waited for");
    const txn::LockTable* const locks = shard->participant().lock_table();
    if (locks == nullptr) continue;
    say(group, locks->transactions(), "have locks");
    say(group, locks->waiting(), "wait for locks");
  }
  return text;
}

TransactionNode* FindTransactionNode(const simulated::NodeWorld& node) {
  return dynamic_cast<TransactionNode*>(node.program());
}

}  // namespace simulation
