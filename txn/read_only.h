// ReadOnly: reads at one timestamp, without locks, on any replica (TX-READ-ONLY, TX-STALE).
//
//   auto reads = gateway.BeginReadOnly({});                      // all that was committed before
//   auto reads = gateway.BeginReadOnly(ReadBound::Stale(10s));   // as it was ten seconds ago
//   CO_ASSIGN_OR_RETURN(Values values, co_await reads->Get({"a", "b"}));
//
// Guarantee:   all reads of one see exactly the writes at or below its timestamp. That of kStrong is
//              at or above those of all commits that were acknowledged before its first read began
//              (TX-EXTERNAL).
// Timestamp:   is known after the first read at the latest. If that is the only one, and in one
//              group, kStrong takes the timestamp of the last commit there: then the read waits for
//              nothing.
// Holds nothing: it may be dropped at any time.
// Concurrency: one loop, that of its gateway, which outlives it, and one call at a time.
#ifndef TXN_READ_ONLY_H_
#define TXN_READ_ONLY_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "txn/transaction.h"

namespace txn {

// How new what is read has to be.
struct ReadBound {
  enum class Kind : uint8_t {
    kStrong,   // All that was committed before.
    kAt,       // At `timestamp` exactly.
    kStale,    // `staleness` ago, exactly.
    kBounded,  // At most `staleness` ago: as new as the nearest replica has it.
  };
  Kind kind = Kind::kStrong;
  runtime::Timestamp timestamp = runtime::Timestamp::Min();
  runtime::Duration staleness{};
  // Of kStrong: only one read will be asked for, be it of many keys.
  bool single = false;

  static ReadBound Strong() { return {}; }
  static ReadBound At(runtime::Timestamp timestamp) {
    return {.kind = Kind::kAt, .timestamp = timestamp};
  }
  static ReadBound Stale(runtime::Duration staleness) {
    return {.kind = Kind::kStale, .staleness = staleness};
  }
  static ReadBound Bounded(runtime::Duration staleness) {
    return {.kind = Kind::kBounded, .staleness = staleness};
  }
};

class ReadOnly {
 public:
  virtual ~ReadOnly() = default;
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

  // None before it is known.
  virtual std::optional<runtime::Timestamp> timestamp() const = 0;

  // OUT_OF_RANGE: the timestamp is below what is kept. UNAVAILABLE: no replica could answer in time.
  virtual runtime::Task<absl::StatusOr<Values>> Get(std::vector<Key> keys) = 0;
  virtual runtime::Task<absl::StatusOr<ScanPage>> Scan(ScanQuery query) = 0;

 protected:
  ReadOnly() = default;
};

}  // namespace txn

#endif  // TXN_READ_ONLY_H_
