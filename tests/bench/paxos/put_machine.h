// PutMachine: the least that a group can replicate: rows that are put, and nothing is asked.
#ifndef TESTS_BENCH_PAXOS_PUT_MACHINE_H_
#define TESTS_BENCH_PAXOS_PUT_MACHINE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "paxos/state_machine.h"

namespace bench {

std::string EncodePut(absl::string_view key, absl::string_view value);

// The row that a put of `key` writes in `group`.
storage::Key RowKey(storage::GroupId group, absl::string_view key);

class PutMachine final : public paxos::StateMachine {
 public:
  explicit PutMachine(storage::GroupId group) : group_(group) {}

  storage::KeyRange range() const override;
  runtime::Task<absl::Status> Restored(storage::Store* store, storage::Slot applied,
                                       runtime::Timestamp timestamp) override;
  runtime::Task<absl::Status> Apply(std::vector<paxos::Command> commands,
                                    storage::ApplyBatch* batch) override;
  // What was overwritten a second ago is thrown away.
  runtime::Timestamp horizon() const override { return newest_ - std::chrono::seconds(1); }
  void Applied(storage::Slot, runtime::Timestamp timestamp) override { newest_ = timestamp; }
  void StateLost() override {}
  void LeadershipGained(paxos::Ballot) override {}
  void LeadershipLost(paxos::Ballot) override {}

 private:
  const storage::GroupId group_;
  runtime::Timestamp newest_ = runtime::Timestamp::Min();
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_PUT_MACHINE_H_
