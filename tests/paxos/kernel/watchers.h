// KernelWatchers: what must never happen among the replicas of a group, told to somebody who knows
// the true time and every disk (protocol.md, section 2).
#ifndef TESTS_PAXOS_KERNEL_WATCHERS_H_
#define TESTS_PAXOS_KERNEL_WATCHERS_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/paxos/kernel/node.h"

namespace paxos {

class KernelWatchers {
 public:
  // `honest`: all clocks keep their bounds. What needs that is watched only then.
  KernelWatchers(const Configuration& initial, bool honest) : honest_(honest) {
    configurations_.emplace(Slot(), initial);
  }

  // `save` is durable at `replica`.
  void Saved(ReplicaId replica, const Save& save);
  // `message` leaves `sender` at the true time `now`.
  void Sent(const KernelNode& sender, const Message& message, Timestamp now);
  // `chosen` is applied at `replica`.
  void Applied(ReplicaId replica, const Chosen& chosen);
  // A leader assigned or pinned a timestamp.
  void Assigned(const Replica& leader, const Proposed& proposed, Timestamp now);
  void Pinned(const Replica& leader, Timestamp timestamp, Timestamp now);
  // No other ballot is to assign anything at or below it.
  void Guarded(const Replica& leader, Timestamp timestamp);
  // The leader takes all up to here for safe to read.
  void TakesForSafe(const Replica& leader);
  // After each step: what `node` believes to be chosen.
  void Look(const KernelNode& node);
  // Who leads by the own count, all asked at one true time.
  void LeadAtOnce(const std::set<ReplicaId>& leaders, Timestamp now);
  void Restarted(ReplicaId replica) { believed_.erase(replica); }

  // The first violation; empty if there is none.
  const std::string& violation() const { return violation_; }
  // What is chosen, from slot 1 on, as far as there is no gap.
  const std::vector<Entry>& chosen() const { return chosen_; }
  const Configuration& configuration() const { return configurations_.rbegin()->second; }

 private:
  struct Accepts {
    Entry entry;
    std::set<ReplicaId> by;
  };
  struct Stamps {
    Timestamp lowest_assigned = Timestamp::Max();
    Timestamp highest = Timestamp::Min();  // Assigned or promised.
    Timestamp guarded = Timestamp::Min();  // Against others.
    Slot next_after;                       // The last slot assigned, or known to be taken.
  };

  template <typename... Parts>
  void Violated(const Parts&... parts);
  const Entry* ChosenIn(Slot slot) const;
  void Accepted(ReplicaId replica, const AcceptedEntry& accepted);
  // Takes down what has become chosen.
  void FindChosen();
  void Append(const Entry& entry);
  void CheckDurable(const KernelNode& sender, const Message& message);
  void CheckStall(const KernelNode& sender, const Accept& accept, Timestamp now);
  // The leader has promised it: see NothingBelow().
  void Promised(Ballot ballot, Slot slot, Timestamp timestamp);
  // Nothing after `slot` has a timestamp at or below `timestamp`.
  void NothingBelow(Ballot ballot, Slot slot, Timestamp timestamp);
  void CheckStamps(Ballot ballot);

  const bool honest_;
  std::string violation_;
  std::map<Slot, Configuration> configurations_;  // By the slot that it was chosen in.
  std::vector<Entry> chosen_;                     // chosen_[i] is in slot i + 1.
  std::map<std::pair<Slot, Ballot>, Accepts> accepts_;
  std::map<ReplicaId, Slot> believed_;  // What it said is chosen, and was looked at.
  std::map<Ballot, Stamps> stamps_;
  std::map<Slot, Timestamp> promises_;  // By slot; those before the end of chosen_ are in floor_.
  Timestamp floor_ = Timestamp::Min();
};

}  // namespace paxos

#endif  // TESTS_PAXOS_KERNEL_WATCHERS_H_
