// LogMeter: how much of a group's log could be cut, by rough marks instead of a size for each slot.
// One loop.
#ifndef PAXOS_LOG_METER_H_
#define PAXOS_LOG_METER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "paxos/kernel/entry.h"

namespace paxos {

class LogMeter {
 public:
  // About `retained_bytes` are to stay. The log holds slots up to `last` already, of unknown size.
  LogMeter(size_t retained_bytes, Slot last);

  // `bytes` were written in `slot`.
  void Wrote(Slot slot, size_t bytes);
  // The highest slot below which the log may go: with what follows it still being about
  // retained_bytes, and at most `applied` + 1. None if that frees nothing worth it.
  std::optional<Slot> CutPoint(Slot applied) const { return CutPoint(applied, retained_bytes_); }
  // The same, and what follows `needed` stays too, as long as that is at most `needed_bytes_max`.
  std::optional<Slot> CutPoint(Slot applied, Slot needed, size_t needed_bytes_max) const;
  void Cut(Slot before);
  // What was written and not cut.
  uint64_t bytes() const { return bytes_; }

 private:
  struct Mark {
    Slot
        last;  // The highest slot that was written up to here; no mark falls behind the one before.
    uint64_t bytes = 0;
  };
  static constexpr size_t kMarks = 8;

  std::optional<Slot> CutPoint(Slot at_most, size_t retained_bytes) const;

  const size_t retained_bytes_;
  // Ascending; the last one is being filled. As many as kMarks and what cannot be cut yet.
  std::deque<Mark> marks_;
  uint64_t bytes_ = 0;  // Of all marks.
};

}  // namespace paxos

#endif  // PAXOS_LOG_METER_H_
