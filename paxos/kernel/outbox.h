// Outbox: what a replica wants sent and saved, in the order that PX-DURABLE asks for: a message
// that says what this replica has on its disk leaves when it is there.
#ifndef PAXOS_KERNEL_OUTBOX_H_
#define PAXOS_KERNEL_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "paxos/kernel/hard_state.h"
#include "paxos/kernel/message.h"
#include "runtime/strong_id.h"

namespace paxos {

// Saves are numbered from 1.
using SaveId = runtime::StrongId<struct SaveIdTag, uint64_t>;

// What is to be on the disk, all of it or nothing.
struct Save {
  SaveId id;
  std::optional<HardState> hard_state;
  std::vector<AcceptedEntry> entries;
};

class Outbox {
 public:
  explicit Outbox(ReplicaId self) : self_(self) {}

  // Leaves at once. Messages to this replica itself are kept for TakeOwn().
  void Send(ReplicaId to, Body body);
  // Leaves once all that was handed to Save...() so far is durable.
  void SendWhenSaved(ReplicaId to, Body body);

  void SaveHardState() { hard_state_changed_ = true; }
  void SaveEntry(AcceptedEntry entry) { entries_.push_back(std::move(entry)); }

  // Save `id` and all before are durable: lets go what waited for them.
  void Saved(SaveId id, MonotonicTime now);

  std::vector<Message> TakeMessages() { return std::exchange(messages_, {}); }
  // Those to this replica itself which may be delivered.
  std::vector<Message> TakeOwn() { return std::exchange(own_, {}); }
  // What gathered since the last time; nothing if there is nothing.
  std::optional<Save> TakeSave(const HardState& hard_state, MonotonicTime now);

  // When the oldest save was taken that is not durable yet.
  std::optional<MonotonicTime> saving_since() const;

 private:
  struct Waiting {
    SaveId after;
    Message message;
  };
  struct Taken {
    SaveId id;
    MonotonicTime at;
  };

  void Let(Message message);

  const ReplicaId self_;
  std::vector<Message> messages_;
  std::vector<Message> own_;
  std::deque<Waiting> waiting_;  // Ascending by `after`.
  bool hard_state_changed_ = false;
  std::vector<AcceptedEntry> entries_;
  uint64_t last_taken_ = 0;
  std::deque<Taken> saving_;  // Taken and not durable yet.
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_OUTBOX_H_
