#include "paxos/kernel/outbox.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace paxos {

void Outbox::Let(Message message) {
  if (message.to == self_) {
    own_.push_back(std::move(message));
  } else {
    messages_.push_back(std::move(message));
  }
}

void Outbox::Send(ReplicaId to, Body body) { Let({self_, to, std::move(body)}); }

void Outbox::SendWhenSaved(ReplicaId to, Body body) {
  Message message{self_, to, std::move(body)};
  const bool gathering = hard_state_changed_ || !entries_.empty();
  if (gathering) {
    waiting_.push_back({SaveId(last_taken_ + 1), std::move(message)});
  } else if (!saving_.empty()) {
    waiting_.push_back({SaveId(last_taken_), std::move(message)});
  } else {
    Let(std::move(message));
  }
}

void Outbox::Saved(SaveId id, MonotonicTime now) {
  CHECK(id.value() <= last_taken_) << "save " << id << " was never taken";
  while (!saving_.empty() && saving_.front().id <= id) saving_.pop_front();
  // What was taken behind a slow save has had the disk only from now on.
  if (!saving_.empty()) saving_.front().at = std::max(saving_.front().at, now);
  while (!waiting_.empty() && waiting_.front().after <= id) {
    Let(std::move(waiting_.front().message));
    waiting_.pop_front();
  }
}

std::optional<Save> Outbox::TakeSave(const HardState& hard_state, MonotonicTime now) {
  if (!hard_state_changed_ && entries_.empty()) return std::nullopt;
  Save save{.id = SaveId(++last_taken_), .hard_state = std::nullopt, .entries = {}};
  if (std::exchange(hard_state_changed_, false)) save.hard_state = hard_state;
  save.entries = std::exchange(entries_, {});
  saving_.push_back({save.id, now});
  return save;
}

std::optional<MonotonicTime> Outbox::saving_since() const {
  if (saving_.empty()) return std::nullopt;
  return saving_.front().at;
}

}  // namespace paxos
