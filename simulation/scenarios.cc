#include <utility>

#include "runtime/simulated/universe.h"
#include "simulation/scenario.h"
#include "simulation/scenario_list.h"

namespace simulation {

const std::vector<Scenario>& Scenarios() {
  static const auto* const scenarios = new std::vector<Scenario>{
      {"runtime", "calls, messages and synced writes under crashes, partitions and bad disks",
       RunRuntimeScenario},
      {"truetime", "clocks within their bounds: intervals contain the true time and never go back",
       RunTrueTimeScenario},
      {"truetime-liar", "a minority of clocks beyond their bounds: found and named in one round",
       RunTrueTimeLiarScenario},
      {"storage", "any stored bit turns: found or harmless, and the replica repairs itself",
       RunStorageScenario},
      {"paxos", "linearizable registers under crashes, partitions, bad disks and hand-overs",
       RunPaxosScenario},
      {"paxos-reconfig", "the same while members change, and disks are lost or damaged",
       RunPaxosReconfigScenario},
      {"paxos-liar", "clocks beyond their bounds cost recency, never consistency",
       RunPaxosLiarScenario},
      {"bank", "transfers between shards: the total is the same in every snapshot",
       RunBankScenario},
      {"append", "lists appended to and read in transactions: strictly serializable",
       RunAppendScenario},
      {"register", "registers read and written in transactions: strictly serializable",
       RunRegisterScenario},
      {"write-skew", "pairs of rows of which one may be off, but never both", RunWriteSkewScenario},
      {"long-fork", "blind writes in different shards: no two snapshots disagree on their order",
       RunLongForkScenario},
      {"phantom", "rows that come and go on conditions over their range", RunPhantomScenario},
      {"external", "who begins after an acknowledgement that was told elsewhere comes after it",
       RunExternalScenario},
      {"txn-liar", "clocks beyond their bounds cost transactions order in real time, nothing else",
       RunTransactionLiarScenario},
  };
  return *scenarios;
}

const Scenario* FindScenario(absl::string_view name) {
  for (const Scenario& scenario : Scenarios()) {
    if (name == scenario.name) return &scenario;
  }
  return nullptr;
}

SeedResult RunSeed(const Scenario& scenario, uint64_t seed, const std::set<std::string>& without,
                   simulated::TraceSink* trace) {
  simulated::UniverseOptions options;
  options.without = without;
  simulated::Universe universe(seed, std::move(options));
  universe.SetTrace(trace);
  scenario.run(&universe);
  SeedResult result{.seed = seed,
                    .hash = universe.hash(),
                    .events = universe.events(),
                    .simulated = universe.now() - runtime::MonotonicTime(),
                    .violation = universe.violation(),
                    .probes = universe.probes()};
  universe.SetTrace(nullptr);
  return result;
}

}  // namespace simulation
