// The work that walks over stored keys and deletes: garbage collection and the removal of ranges.
//
// Each call looks at a bounded number of entries of a view, adds the deletions to a batch, and says
// where to go on. The batch is the caller's to write. Blocks on the disk.
#ifndef STORAGE_RANGE_WORK_H_
#define STORAGE_RANGE_WORK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/time.h"
#include "storage/apply_batch.h"
#include "storage/key_range.h"
#include "storage/view.h"
#include "storage/work_step.h"

namespace storage {

// So many entries are looked at in a step.
constexpr size_t kEntriesPerStep = 4096;

struct RangeWork {
  explicit RangeWork(StoreEpoch epoch) : batch(epoch) {}

  ApplyBatch batch;
  WorkStep step;
};

// Deletes what no read at or above `horizon` sees: of each key the versions below the newest one at
// or below the horizon, and that one too if it is a deletion. A deletion goes only together with
// the last version below it, lest that one comes to light.
absl::Status FindGarbage(View* view, const KeyRange& range, runtime::Timestamp horizon,
                         const std::string& resume, RangeWork* work);

// Deletes all entries of ranges of stored keys, which are in order.
absl::Status FindAll(View* view, const std::vector<KeyRange>& stored, const std::string& resume,
                     RangeWork* work);

}  // namespace storage

#endif  // STORAGE_RANGE_WORK_H_
