#include "paxos/kernel/leadership.h"

#include <bit>
#include <utility>

namespace paxos {

static_assert(Configuration::kMembersMax <= 32);

Leadership::Leadership(Ballot ballot, LeaseCount votes, Slot chosen_through,
                       Timestamp last_timestamp)
    : ballot(ballot),
      votes(std::move(votes)),
      last_timestamp(last_timestamp),
      recover_through(chosen_through),
      unsent_from(Next(chosen_through)),
      first_open_(Next(chosen_through)) {}

void Leadership::Count(size_t member, Slot slot) {
  if (slot < first_open_) return;
  const uint64_t index = slot.value() - first_open_.value();
  if (index >= accepted_by_.size()) accepted_by_.resize(index + 1);
  accepted_by_[index] |= uint32_t{1} << member;
}

bool Leadership::HasMajority(const Configuration& configuration, Slot slot) const {
  if (slot < first_open_) return true;
  const uint64_t index = slot.value() - first_open_.value();
  if (index >= accepted_by_.size()) return false;
  uint32_t voters = 0;
  for (size_t member = 0; member < configuration.members().size(); ++member) {
    if (configuration.members()[member].voter) voters |= uint32_t{1} << member;
  }
  return static_cast<size_t>(std::popcount(accepted_by_[index] & voters)) >=
         configuration.majority();
}

void Leadership::ForgetThrough(Slot chosen_through) {
  while (first_open_ <= chosen_through) {
    if (!accepted_by_.empty()) accepted_by_.pop_front();
    first_open_ = Next(first_open_);
  }
}

void Leadership::Told(Slot chosen_through) {
  told_chosen = chosen_through;
  tell_by.reset();
}

}  // namespace paxos
