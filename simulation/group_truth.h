// GroupTruth: what was chosen in a group of registers, for ever, and all that follows from it: which
// no node knows as a whole. It is told by watchers and nodes what they see, and fails the universe
// where that cannot be.
//
// Rules:       PX-ONE-VALUE: what is known to be chosen in a slot is the same everywhere.
//              PX-MONOTONE: timestamps grow along the log. PX-CEILING: what was promised to be safe
//              stays as it was, also where clocks lie. PX-PIPELINE: each replica applies every
//              command, in order, to the same effect. Equal state at equal slots: what a replica
//              holds at a slot is what the log up to there makes.
#ifndef SIMULATION_GROUP_TRUTH_H_
#define SIMULATION_GROUP_TRUTH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "paxos/kernel/configuration.h"
#include "paxos/kernel/entry.h"
#include "simulation/register_command.h"

namespace simulated {
class Universe;
}

namespace simulation {

// What a write left. Without a value it is a deletion.
struct TrueVersion {
  runtime::Timestamp timestamp;
  storage::Slot slot;
  RegisterValue value;
};

// Everything that a replica's store holds of the group.
struct GroupContents {
  storage::Slot applied;
  uint64_t commands = 0;  // How many it says were applied.
  // Of the versions at or below it, some that nobody can read may be missing.
  runtime::Timestamp horizon = runtime::Timestamp::Min();
  struct Version {
    runtime::Timestamp timestamp;
    RegisterValue value;

    friend bool operator==(const Version&, const Version&) = default;
  };
  // By key; oldest first.
  std::map<std::string, std::vector<Version>> rows = {};

  std::vector<Version> Versions(const std::string& key) const;
};

class GroupTruth {
 public:
  // `universe` outlives it.
  GroupTruth(simulated::Universe* universe, storage::GroupId group,
             paxos::Configuration configuration);
  GroupTruth(const GroupTruth&) = delete;
  GroupTruth& operator=(const GroupTruth&) = delete;

  // --- What is seen ---

  // Somebody knows that `entry` is chosen in `slot`.
  void Chosen(storage::Slot slot, const paxos::Entry& entry);
  // A replica that stands at `before` applies the command in `slot`, next.
  void Applying(absl::string_view who, storage::Slot before, storage::Slot slot,
                RegisterResult result);
  // A replica that has applied all up to `applied` calls `safe` a safe time.
  void Promised(absl::string_view who, storage::Slot applied, runtime::Timestamp safe);
  // A client was told so.
  void Acknowledged(storage::Slot slot, runtime::Timestamp timestamp,
                    const RegisterCommand& command, const RegisterResult& result);
  void ReadNewest(const std::string& key, runtime::Timestamp timestamp, const RegisterValue& value);
  void ReadAt(const std::string& key, runtime::Timestamp at, const RegisterValue& value);
  // A replica's store holds this.
  void Holds(absl::string_view who, const GroupContents& contents);

  // --- What is so ---

  storage::GroupId group() const { return group_; }
  bool IsChosen(storage::Slot slot) const { return chosen_.contains(slot); }
  // All slots up to here are known.
  storage::Slot known_through() const { return known_through_; }
  // The last configuration that is chosen.
  const paxos::Configuration& configuration() const { return configuration_; }
  uint64_t commands() const { return commands_; }
  std::vector<std::string> keys() const;

 private:
  void Append(const paxos::Entry& entry);
  void Fail(absl::string_view rule, absl::string_view what);
  GroupContents ContentsAt(storage::Slot slot) const;

  simulated::Universe& universe_;
  const storage::GroupId group_;
  paxos::Configuration configuration_;

  std::map<storage::Slot, paxos::Entry> chosen_;
  storage::Slot known_through_;
  runtime::Timestamp last_timestamp_ = runtime::Timestamp::Min();
  // The highest safe time that anybody has called so.
  runtime::Timestamp promised_ = runtime::Timestamp::Min();

  // What the chosen log up to known_through_ makes.
  std::map<std::string, std::vector<TrueVersion>> rows_;  // By key; oldest first.
  uint64_t commands_ = 0;
  std::map<storage::Slot, uint64_t> commands_through_;  // By the slot of each command.
  // Of each command, as the first replica that applied it had it, or as it follows.
  std::map<storage::Slot, RegisterResult> results_;
};

}  // namespace simulation

#endif  // SIMULATION_GROUP_TRUTH_H_
