// Scenarios bank, append, register, write-skew, long-fork, phantom, external and txn-liar:
// transactions over several shards, while everything happens to their machines that may.
//
// In the chaos nodes crash, one or all, pause and sleep; networks split in all ways, lose,
// duplicate and reorder; disks stall, fill, fail and lose what was not synced; clocks do what they
// may within their bounds; leads are handed over; clients vanish. Then all heals: from every node a
// transaction over all shards commits; when the clients stop all locks become free, nothing stays
// prepared, every outcome can be found out, and replicas become equal. What the clients saw is what
// the workload demands, and is strictly serializable, by what was read and by the timestamps.
//
// txn-liar: a drawn one of them where clocks are beyond their bounds. Order in real time may be lost
// then, and nothing else; and if it was, the nodes have noticed that their clocks contradict each
// other.
#include <array>
#include <utility>

#include "simulation/nemesis.h"
#include "simulation/paxos_harms.h"
#include "simulation/scenario_list.h"
#include "simulation/transaction_cluster.h"

namespace simulation {
namespace {

using runtime::operator""s;

constexpr runtime::Duration kChaos = 20s;

void Run(simulated::Universe* universe, TransactionClusterOptions options,
         std::vector<Harm> harms) {
  TransactionCluster cluster(universe, options);
  cluster.Open();
  cluster.Chaos(std::move(harms), kChaos);
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandRest();
  cluster.Judge();
}

void RunWorkload(simulated::Universe* universe, absl::string_view workload) {
  Run(universe, {.workload = workload},
      AllOf({ProcessHarms(universe), ClockHarms(universe), NetworkHarms(universe),
             DiskHarms(universe), LeadHarms(universe), RestlessLeadHarms(universe),
             RestlessLeadHarms(universe)}));
}

}  // namespace

void RunBankScenario(simulated::Universe* universe) { RunWorkload(universe, "bank"); }
void RunAppendScenario(simulated::Universe* universe) { RunWorkload(universe, "append"); }
void RunRegisterScenario(simulated::Universe* universe) { RunWorkload(universe, "register"); }
void RunWriteSkewScenario(simulated::Universe* universe) { RunWorkload(universe, "write-skew"); }
void RunLongForkScenario(simulated::Universe* universe) { RunWorkload(universe, "long-fork"); }
void RunPhantomScenario(simulated::Universe* universe) { RunWorkload(universe, "phantom"); }
void RunExternalScenario(simulated::Universe* universe) { RunWorkload(universe, "external"); }

void RunTransactionLiarScenario(simulated::Universe* universe) {
  static constexpr std::array<absl::string_view, 7> kWorkloads = {
      "bank", "append", "register", "write-skew", "long-fork", "phantom", "external"};
  const auto drawn = universe->random().Uniform(0, static_cast<int64_t>(kWorkloads.size()) - 1);
  Run(universe, {.workload = kWorkloads[static_cast<size_t>(drawn)], .clocks_lie = true},
      AllOf({ProcessHarms(universe), NetworkHarms(universe), LyingHarms(universe),
             LyingHarms(universe), LeadHarms(universe)}));
}

}  // namespace simulation
