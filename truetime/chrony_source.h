// ChronySource: readings from the chronyd of this host, over its command protocol.
//
// Bound (TT-BOUND): chronyd's estimate of the time is CLOCK_REALTIME plus the correction that it
// has
//              still to apply, and that estimate is off by at most root dispersion + root delay /
//              2, both as of the answer. The interval lies around that estimate, with the roundings
//              of the protocol and the time the reading took added. It is inside the interval
//              "CLOCK_REALTIME +- (|correction| + root dispersion + root delay / 2)" that chrony's
//              manual gives, by the triangle inequality, and does not cover up a source that has
//              jumped, as that one does while chronyd slews after it.
// No reading:  if chronyd is silent, not synchronised, follows only its own clock ("local"), or has
//              no reachable source left, in which case what it says rests on an estimate of its
//              drift and not on a bound of it: TT-STATES then calls for holdover.
#ifndef TRUETIME_CHRONY_SOURCE_H_
#define TRUETIME_CHRONY_SOURCE_H_

#include <string>
#include <vector>

#include "runtime/world.h"
#include "truetime/chrony_protocol.h"
#include "truetime/source.h"

namespace truetime {

struct ChronySourceOptions {
  // Where chronyd listens; the first one that answers counts. The socket wants root or the group
  // of chronyd, the port does not.
  std::vector<std::string> addresses = {"/run/chrony/chronyd.sock", "127.0.0.1:323"};
  // For each single question. chronyd answers within 100 us, on an overloaded machine later.
  Duration answer_timeout = Duration(200'000'000);
};

// The clocks around one question to chronyd, in the order in which they were read.
struct ChronyExchange {
  MonotonicTime raw_before;
  Timestamp realtime_before;
  Timestamp realtime_after;
  MonotonicTime raw_after;
};

// The reading that follows from chronyd's answer. Or why there is none: chronyd does not know the
// time, the numbers make no sense, or a clock was stepped meanwhile.
absl::StatusOr<Reading> ReadingFromTracking(const ChronyTracking& tracking,
                                            const ChronyExchange& exchange);

class ChronySource final : public TimeSource {
 public:
  // `world` outlives this.
  explicit ChronySource(runtime::World* world, ChronySourceOptions options = {});

  std::string name() const override { return "chrony"; }
  BaseClock base() const override { return BaseClock::kRaw; }
  runtime::Task<absl::StatusOr<Reading>> Read() override;

 private:
  // Asks for the tracking at `address`; `exchange`, which outlives the task, gets the clocks around
  // it.
  runtime::Task<absl::StatusOr<ChronyTracking>> AskTracking(std::string address,
                                                            ChronyExchange* exchange);
  // OK if a source that can be reached is selected.
  runtime::Task<absl::Status> CheckSources(std::string address);

  runtime::World* const world_;
  const ChronySourceOptions options_;
  uint32_t sequence_ = 0;
};

}  // namespace truetime

#endif  // TRUETIME_CHRONY_SOURCE_H_
