#include "paxos/kernel/log_window.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace paxos {

LogWindow::Place* LogWindow::At(Slot slot) {
  return const_cast<Place*>(std::as_const(*this).At(slot));
}

const LogWindow::Place* LogWindow::At(Slot slot) const {
  if (slot <= base_ || slot > last()) return nullptr;
  return &slots_[slot.value() - base_.value() - 1];
}

const AcceptedEntry* LogWindow::Find(Slot slot) const {
  const Place* const place = At(slot);
  return place == nullptr || !place->accepted ? nullptr : &*place->accepted;
}

bool LogWindow::IsChosen(Slot slot) const {
  const Place* const place = At(slot);
  return slot <= base_ || (place != nullptr && place->chosen);
}

std::vector<AcceptedEntry> LogWindow::AcceptedAfter(Slot after) const {
  std::vector<AcceptedEntry> accepted;
  for (Slot slot = Next(std::max(after, base_)); slot <= last(); slot = Next(slot)) {
    if (const AcceptedEntry* const entry = Find(slot)) accepted.push_back(*entry);
  }
  return accepted;
}

void LogWindow::Accept(AcceptedEntry accepted) {
  const Slot slot = accepted.slot;
  CHECK(slot > base_) << "slot " << slot << " is applied, up to " << base_;
  if (slot > last()) slots_.resize(slot.value() - base_.value());
  Place& place = *At(slot);
  CHECK(!place.chosen || place.accepted->entry == accepted.entry)
      << "PX-ONE-VALUE: in slot " << slot << ' ' << place.accepted->entry << " is chosen, and now "
      << accepted.entry << " of ballot " << accepted.ballot;
  if (place.accepted) bytes_ -= place.accepted->entry.bytes();
  bytes_ += accepted.entry.bytes();
  place.accepted = std::move(accepted);
}

void LogWindow::MarkChosen(Slot slot) {
  if (slot <= base_) return;
  Place* const place = At(slot);
  CHECK(place != nullptr && place->accepted) << "slot " << slot << " chosen without a value here";
  place->chosen = true;
  while (chosen_through_ < last() && At(Next(chosen_through_))->chosen) {
    chosen_through_ = Next(chosen_through_);
  }
}

void LogWindow::Pop(Slot slot) {
  CHECK(slot <= chosen_through_) << "slot " << slot << " applied, chosen up to " << chosen_through_;
  while (base_ < slot) {
    const Entry& entry = slots_.front().accepted->entry;
    base_timestamp_ = entry.timestamp;
    bytes_ -= entry.bytes();
    slots_.pop_front();
    base_ = Next(base_);
  }
}

void LogWindow::Reset(Slot base, Timestamp timestamp) {
  while (base_ < base && !slots_.empty()) {
    if (slots_.front().accepted) bytes_ -= slots_.front().accepted->entry.bytes();
    slots_.pop_front();
    base_ = Next(base_);
  }
  base_ = base;
  base_timestamp_ = timestamp;
  chosen_through_ = std::max(chosen_through_, base);
  while (chosen_through_ < last() && At(Next(chosen_through_))->chosen) {
    chosen_through_ = Next(chosen_through_);
  }
}

bool LogWindow::InOrder(Slot slot, Ballot ballot, Timestamp timestamp) const {
  if (timestamp <= base_timestamp_) return false;
  // Nearest neighbours that are bound to stay: chosen, or of the same leader.
  for (Slot before = Previous(slot); before > base_; before = Previous(before)) {
    const Place* const place = At(before);
    if (place == nullptr || !place->accepted) continue;
    if (!place->chosen && place->accepted->ballot != ballot) continue;
    if (timestamp <= place->accepted->entry.timestamp) return false;
    break;
  }
  for (Slot after = Next(slot); after <= last(); after = Next(after)) {
    const Place* const place = At(after);
    if (!place->accepted) continue;
    if (!place->chosen && place->accepted->ballot != ballot) continue;
    return timestamp < place->accepted->entry.timestamp;
  }
  return true;
}

}  // namespace paxos
