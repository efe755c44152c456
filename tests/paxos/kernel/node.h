// KernelNode: a kernel with a disk and a state machine under it, and no world. What is durable, what
// is applied and when a crash comes is the test's decision.
#ifndef TESTS_PAXOS_KERNEL_NODE_H_
#define TESTS_PAXOS_KERNEL_NODE_H_

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "paxos/kernel/replica.h"

namespace paxos {

// The state machine, as far as a kernel cares. A copy is a snapshot.
struct Machine {
  bool installed = true;
  Slot applied;
  Timestamp timestamp = Timestamp::Min();
  Configuration configuration;
  Slot configuration_slot;
};

struct Disk {
  HardState hard_state;
  std::map<Slot, AcceptedEntry> log;
  Slot truncated_before = Slot(1);
  Machine machine;

  // Of a founder of a group, or of one who joins it and knows nothing yet.
  static Disk Founder(ReplicaId self, const Configuration& configuration);
  static Disk Joiner(ReplicaId self);
};

class KernelNode {
 public:
  KernelNode(ReplicaOptions options, Disk disk) : options_(options), disk_(std::move(disk)) {}

  ReplicaId id() const { return options_.self; }
  bool up() const { return replica_.has_value(); }
  Replica& replica() { return *replica_; }
  const Replica& replica() const { return *replica_; }
  const Disk& disk() const { return disk_; }
  const Machine& machine() const { return machine_; }
  const ReplicaOptions& options() const { return options_; }

  // From what is on the disk.
  void Start(uint64_t seed);
  // What was not saved is lost.
  void Crash();

  // Takes what the kernel wants done; the messages are for the test to carry.
  std::vector<Message> Collect(const Moment& moment);
  // Saves that are not durable yet.
  const std::deque<Save>& saves() const { return saves_; }
  std::optional<MonotonicTime> saving_since() const { return saving_since_; }
  // The oldest save is durable.
  Save Persist(const Moment& moment);
  std::optional<Fetch> TakeFetch() { return std::exchange(fetch_, std::nullopt); }

  // Applies at most `count` of what came out; only what is in this replica's own log.
  std::vector<Chosen> Apply(size_t count);
  size_t unapplied() const { return chosen_.size(); }
  // What is applied is durable.
  void PersistMachine() { disk_.machine = machine_; }
  // Cuts the log below what is durably applied.
  void Cut();
  // Chosen entries from slot `from` on, if the log still has them.
  std::optional<std::vector<AcceptedEntry>> Teach(Slot from, size_t count) const;
  // False if `snapshot` is older than what is here.
  bool Install(const Machine& snapshot, const Moment& moment);
  void LoseMachine(const Moment& moment);

 private:
  ReplicaOptions options_;
  Disk disk_;
  Machine machine_;
  std::optional<Replica> replica_;
  std::deque<Save> saves_;
  std::optional<MonotonicTime> saving_since_;  // Since when the disk has had the oldest.
  std::deque<Chosen> chosen_;                  // Came out, not applied yet.
  std::optional<Fetch> fetch_;
};

}  // namespace paxos

#endif  // TESTS_PAXOS_KERNEL_NODE_H_
