// LogWindow: the part of a group's log that a replica still works on: from the first slot that is
// not applied to the last one that anything was accepted in.
//
// What is below its base was applied, and left. Owned by a Replica; a kernel, one loop.
// Invariant: base <= chosen_through <= last; a chosen slot never changes its value (PX-ONE-VALUE).
#ifndef PAXOS_KERNEL_LOG_WINDOW_H_
#define PAXOS_KERNEL_LOG_WINDOW_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "paxos/kernel/entry.h"

namespace paxos {

class LogWindow {
 public:
  // All slots up to `base` are applied, the last of them with `timestamp`.
  LogWindow(Slot base, Timestamp timestamp) : base_(base), base_timestamp_(timestamp) {
    chosen_through_ = base;
  }

  Slot base() const { return base_; }
  Timestamp base_timestamp() const { return base_timestamp_; }
  // Every slot up to here is chosen.
  Slot chosen_through() const { return chosen_through_; }
  // The last slot with an entry; base() if there is none.
  Slot last() const { return Slot(base_.value() + slots_.size()); }
  size_t open_slots() const { return slots_.size(); }
  size_t open_bytes() const { return bytes_; }

  // Null if `slot` is outside the window or nothing was accepted in it.
  const AcceptedEntry* Find(Slot slot) const;
  bool IsChosen(Slot slot) const;
  // All accepted entries in slots after `after`, ascending.
  std::vector<AcceptedEntry> AcceptedAfter(Slot after) const;

  // `slot` is after base(). CHECKs that a chosen slot keeps its value.
  void Accept(AcceptedEntry accepted);
  // CHECKs that something was accepted in `slot`.
  void MarkChosen(Slot slot);
  // All up to `slot`, which are chosen, were applied.
  void Pop(Slot slot);
  // The state machine is at `slot` now, wherever it was.
  void Reset(Slot base, Timestamp timestamp);

  // Whether `timestamp` could stand in `slot` of ballot `ballot`: above all chosen before it, below
  // all chosen after it, and in order with what was accepted in the same ballot (PX-MONOTONE).
  bool InOrder(Slot slot, Ballot ballot, Timestamp timestamp) const;

 private:
  struct Place {
    std::optional<AcceptedEntry> accepted;
    bool chosen = false;
  };

  Place* At(Slot slot);
  const Place* At(Slot slot) const;

  Slot base_;
  Timestamp base_timestamp_;
  Slot chosen_through_;
  std::deque<Place> slots_;  // slots_[i] is slot base + 1 + i. The last one has an entry.
  size_t bytes_ = 0;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_LOG_WINDOW_H_
