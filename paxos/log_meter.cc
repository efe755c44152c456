#include "paxos/log_meter.h"

#include <algorithm>

namespace paxos {
namespace {

// What an entry costs beside its own bytes: record head, ballot, timestamp, its place in an index.
constexpr uint64_t kOverhead = 64;

}  // namespace

LogMeter::LogMeter(size_t retained_bytes, Slot last)
    : retained_bytes_(retained_bytes), marks_({{last, 0}}) {
  if (last != Slot(0)) marks_.push_back({last, 0});
}

void LogMeter::Wrote(Slot slot, size_t bytes) {
  Mark& mark = marks_.back();
  mark.last = std::max(mark.last, slot);
  mark.bytes += bytes + kOverhead;
  bytes_ += bytes + kOverhead;
  if (mark.bytes > retained_bytes_ / kMarks) marks_.push_back({mark.last, 0});
}

std::optional<Slot> LogMeter::CutPoint(Slot applied, Slot needed, size_t needed_bytes_max) const {
  return std::max(CutPoint(std::min(applied, needed), retained_bytes_),
                  CutPoint(applied, std::max(retained_bytes_, needed_bytes_max)));
}

std::optional<Slot> LogMeter::CutPoint(Slot at_most, size_t retained_bytes) const {
  std::optional<Slot> point;
  uint64_t left = bytes_;
  for (const Mark& mark : marks_) {
    if (mark.bytes > left || left - mark.bytes < retained_bytes || mark.last > at_most) break;
    left -= mark.bytes;
    point = Next(mark.last);
  }
  return point;
}

void LogMeter::Cut(Slot before) {
  while (marks_.size() > 1 && marks_.front().last < before) {
    bytes_ -= marks_.front().bytes;
    marks_.pop_front();
  }
}

}  // namespace paxos
