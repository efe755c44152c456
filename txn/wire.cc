#include "txn/wire.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "runtime/status_macros.h"

namespace txn::wire {

bool InOrder(const std::vector<Write>& writes) {
  return std::adjacent_find(writes.begin(), writes.end(), [](const Write& a, const Write& b) {
           return a.key >= b.key;
         }) == writes.end();
}

bool InOrder(const std::vector<KeyRange>& locks) {
  if (std::any_of(locks.begin(), locks.end(), [](const KeyRange& one) { return one.empty(); })) {
    return false;
  }
  return std::adjacent_find(locks.begin(), locks.end(), [](const KeyRange& a, const KeyRange& b) {
           return a.end.empty() || a.end > b.start;
         }) == locks.end();
}

bool InOrder(const std::vector<GroupId>& groups) {
  if (!groups.empty() && groups.front() == GroupId()) return false;
  return std::adjacent_find(groups.begin(), groups.end(), std::greater_equal<>()) == groups.end();
}

void Encode(const TransactionId& id, proto::TransactionId* out) {
  out->set_begun(id.begun.nanoseconds());
  out->set_gateway(id.gateway.value());
  out->set_sequence(id.sequence);
}

TransactionId Decode(const proto::TransactionId& in) {
  return {Timestamp(in.begun()), NodeId(in.gateway()), in.sequence()};
}

void Encode(const KeyRange& range, proto::KeyRange* out) {
  out->set_start(range.start);
  out->set_end(range.end);
}

KeyRange Decode(const proto::KeyRange& in) { return {in.start(), in.end()}; }

void Encode(const Outcome& outcome, proto::Outcome* out) {
  if (outcome.committed) {
    out->set_committed(outcome.committed->nanoseconds());
  } else {
    out->set_why(outcome.why.substr(0, kWhyBytesMax));
  }
}

Outcome Decode(const proto::Outcome& in) {
  if (in.has_committed()) return Outcome::Committed(Timestamp(in.committed()));
  return Outcome::Aborted(in.why());
}

void Encode(const std::vector<GroupId>& groups, Groups* out) {
  for (const GroupId group : groups) out->Add(group.value());
}

absl::StatusOr<std::vector<GroupId>> Decode(const Groups& in) {
  std::vector<GroupId> groups;
  groups.reserve(static_cast<size_t>(in.size()));
  for (const uint64_t group : in) groups.emplace_back(group);
  if (!InOrder(groups)) return Bad("groups out of order");
  return groups;
}

void Encode(const std::vector<Write>& writes, Writes* out) {
  out->Reserve(static_cast<int>(writes.size()));
  for (const Write& write : writes) {
    proto::Write& one = *out->Add();
    one.set_key(write.key);
    if (write.value) one.set_value(*write.value);
  }
}

absl::StatusOr<std::vector<Write>> Decode(Writes* in) {
  std::vector<Write> writes;
  writes.reserve(static_cast<size_t>(in->size()));
  for (proto::Write& one : *in) {
    Write& write = writes.emplace_back();
    write.key = std::move(*one.mutable_key());
    if (one.has_value()) write.value = std::move(*one.mutable_value());
  }
  if (!InOrder(writes)) return Bad("writes out of order");
  return writes;
}

void Encode(const Prepare& prepare, proto::Prepare* out) {
  Encode(prepare.id, out->mutable_id());
  out->mutable_age()->set_first_begun(prepare.age.first_begun.nanoseconds());
  Encode(prepare.age.first, out->mutable_age()->mutable_first());
  out->set_coordinator(prepare.coordinator.value());
  Encode(prepare.writes, out->mutable_writes());
  for (const KeyRange& lock : prepare.locks) Encode(lock, out->add_locks());
}

absl::StatusOr<Prepare> Decode(proto::Prepare* in) {
  Prepare prepare{.id = Decode(in->id()),
                  .age = {Timestamp(in->age().first_begun()), Decode(in->age().first())},
                  .coordinator = GroupId(in->coordinator())};
  if (prepare.coordinator == GroupId()) return Bad("no coordinator");
  ASSIGN_OR_RETURN(prepare.writes, Decode(in->mutable_writes()));
  for (const proto::KeyRange& lock : in->locks()) prepare.locks.push_back(Decode(lock));
  if (!InOrder(prepare.locks)) return Bad("locks out of order");
  return prepare;
}

}  // namespace txn::wire
