// Recorder: the virtual time of a universe and the record of what happened in it: the running
// hash, and the trace when somebody reads it. Every part of the simulated world holds one.
#ifndef RUNTIME_SIMULATED_RECORDER_H_
#define RUNTIME_SIMULATED_RECORDER_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/check.h"
#include "runtime/simulated/running_hash.h"
#include "runtime/simulated/trace.h"
#include "runtime/strong_id.h"
#include "runtime/time.h"

namespace simulated {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::NodeId;
using runtime::Timestamp;
using runtime::operator""ns;
using runtime::operator""us;
using runtime::operator""ms;
using runtime::operator""s;

// What kind of thing happened; folded into the hash with it.
enum class Happened : uint8_t {
  kRan = 1,     // An executor ran one piece of work.
  kTimer,       // An executor's timer fired.
  kArrived,     // Something that was on its way arrived: a message, an answer of the disk.
  kSent,        // A node gave a message to the network.
  kReceived,    // A message reached its handler.
  kDropped,     // A message was lost.
  kFile,        // A node touched its disk.
  kNode,        // A node was started, crashed, paused or resumed.
  kLog,         // A node wrote a log line.
  kClock,       // A clock was bent.
  kExperiment,  // A Buggify site fired.
  kNoted,       // What a test or scenario noted itself.
};

class Recorder {
 public:
  Recorder(uint64_t seed, Timestamp epoch) : hash_(seed), epoch_(epoch) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Virtual time. It starts at zero.
  MonotonicTime now() const { return now_; }
  void AdvanceTo(MonotonicTime now) {
    CHECK_GE(now, now_) << "time ran backwards";
    now_ = now;
  }
  // The same moment as true time, which no node can read.
  Timestamp true_time() const { return TrueTimeAt(now_); }
  Timestamp TrueTimeAt(MonotonicTime moment) const { return epoch_ + (moment - MonotonicTime()); }

  void Fold(Happened what, uint64_t who, uint64_t value = 0) {
    hash_.Fold(static_cast<uint64_t>(now_.nanoseconds()),
               Mix(static_cast<uint64_t>(what) << 56 ^ who, value));
  }
  uint64_t hash() const { return hash_.value(); }

  // Formatting a line costs more than most events: ask tracing() first.
  bool tracing() const { return sink_ != nullptr; }
  void SetSink(TraceSink* sink) { sink_ = sink; }
  // Writes "<time> n<node> <event>"; node 0 is the universe itself.
  void Trace(NodeId node, absl::string_view event);

 private:
  RunningHash hash_;
  const Timestamp epoch_;
  MonotonicTime now_;
  TraceSink* sink_ = nullptr;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_RECORDER_H_
