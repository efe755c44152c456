// What a client notices of a planned hand-over.
#include <algorithm>
#include <memory>

#include "paxos/errors.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/task_scope.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/parts.h"
#include "tests/bench/paxos/put_machine.h"
#include "tests/bench/paxos/values.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using runtime::Executor;
using runtime::MonotonicTime;
using runtime::Task;

constexpr storage::GroupId kGroup(1);
constexpr int kHandOvers = 9;
constexpr runtime::Duration kBetween = 500ms;
constexpr runtime::Duration kTimeout = 5s;

// A client of all three nodes, on a loop of its own.
struct Client {
  Cluster* cluster;
  Node* at;  // Where it proposes.
  Values values{1, 200};
  bool stop = false;
  MonotonicTime last_commit{};
  runtime::Duration longest_gap{};
  uint64_t committed = 0;
  uint64_t redirects = 0;
  absl::Status error{};
};

Task<absl::Status> ProposeOne(Node* node, std::string put) {
  const auto group = FindGroup(node, kGroup);
  co_return (co_await group->Propose(std::move(put), runtime::Timestamp::Min())).status();
}

// Follows a redirect; all else is an error.
void Follow(Client* client, const absl::Status& refused) {
  if (paxos::RetryOf(refused) != paxos::Retry::kElsewhere) {
    client->error.Update(refused);
    return;
  }
  ++client->redirects;
  const auto leader = paxos::LeaderOf(refused);
  const auto next = static_cast<int>(client->at->id().value() % Cluster::kNodes);
  client->at = leader.has_value() ? &client->cluster->node(*leader) : &client->cluster->node(next);
}

Task<void> RunClient(Client* client) {
  client->last_commit = Executor::Current().Now();
  while (!client->stop && client->error.ok()) {
    const std::string put = EncodePut(client->values.Key(), client->values.Value(200));
    const absl::Status done = co_await runtime::RunOn(
        &client->at->world().loop(0), runtime::WithTimeout(kTimeout, ProposeOne(client->at, put)));
    if (!done.ok()) {
      Follow(client, done);
      continue;
    }
    const MonotonicTime now = Executor::Current().Now();
    client->longest_gap = std::max(client->longest_gap, now - client->last_commit);
    client->last_commit = now;
    ++client->committed;
  }
}

// The next voter gets the lead.
Task<absl::Status> Abdicate(Node* leader) {
  const auto group = FindGroup(leader, kGroup);
  const uint32_t next = group->status().self.value() % Cluster::kNodes + 1;
  co_return co_await group->Abdicate(paxos::ReplicaId(next));
}

Task<absl::Status> HandOverAgainAndAgain(Client* client) {
  for (int i = 0; i < kHandOvers; ++i) {
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(kBetween));
    Node* const leader = client->at;
    CO_RETURN_IF_ERROR(co_await runtime::RunOn(&leader->world().loop(0),
                                               runtime::WithTimeout(kTimeout, Abdicate(leader))));
  }
  co_return co_await runtime::SleepFor(kBetween);
}

Task<absl::Status> ProposeThroughHandOvers(Client* client) {
  runtime::TaskScope scope(Executor::Current());
  scope.Spawn(RunClient(client));
  const absl::Status done = co_await HandOverAgainAndAgain(client);
  client->stop = true;
  co_await scope.Join();
  co_return done.ok() ? client->error : done;
}

}  // namespace

absl::Status MeasureHandOver(Bench* bench) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Start(bench->directory));
  RETURN_IF_ERROR(cluster->CreateGroups(kGroup.value(), kGroup.value()));
  real::RealWorldOptions options;
  options.node = runtime::NodeId(100);
  options.loops = 1;
  options.log = real::LogDestination::kNowhere;
  ASSIGN_OR_RETURN(const auto world, real::RealWorld::Create(options));
  Client client{.cluster = cluster.get(), .at = nullptr};
  ASSIGN_OR_RETURN(client.at, cluster->FindLeader(kGroup));
  RETURN_IF_ERROR(world->RunUntilDone(ProposeThroughHandOvers(&client)));
  if (client.redirects < kHandOvers) {
    return absl::InternalError("the client did not notice every hand-over");
  }
  bench->report.Record(
      {.figure = "hand-over, longest of 9 gaps between commits",
       .unit = "ms",
       .value = std::chrono::duration<double, std::milli>(client.longest_gap).count(),
       .bound = 50,
       .bound_is_ratio = false});
  return absl::OkStatus();
}

}  // namespace bench
