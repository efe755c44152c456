// RowModel: what a store should hold, in a map; and the random batches that fill both.
#ifndef TESTS_STORAGE_ROW_MODEL_H_
#define TESTS_STORAGE_ROW_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "runtime/time.h"
#include "storage/apply_batch.h"
#include "storage/view.h"

namespace storage {

// One batch: batch `number` writes at timestamp 10 * number, and leaves its number as the applied
// state.
struct ModelBatch {
  std::map<Key, std::optional<std::string>> rows;
  std::map<Key, std::optional<std::string>> state;
};

ModelBatch RandomBatch(runtime::Random* random, size_t value_bytes_max);
runtime::Timestamp TimestampOfBatch(uint64_t number);
ApplyBatch ToApplyBatch(const ModelBatch& batch, uint64_t number, GroupId group, StoreEpoch epoch);

class RowModel {
 public:
  void Apply(const ModelBatch& batch);
  uint64_t applied() const { return applied_; }

  std::optional<Cell> Get(const Key& key, runtime::Timestamp at) const;
  std::vector<Row> Scan(const KeyRange& range, runtime::Timestamp at, ScanOrder order) const;
  std::vector<Version> Versions(const Key& key) const;
  std::vector<Key> Keys() const;
  const std::map<Key, std::string>& state() const { return state_; }

 private:
  uint64_t applied_ = 0;
  // Versions by time.
  std::map<Key, std::map<int64_t, std::optional<std::string>>> rows_;
  std::map<Key, std::string> state_;
};

// What differs between the view and the model at or above the view's horizon: "" if nothing does.
// An error of the view is given as its status.
absl::StatusOr<std::string> Difference(View* view, const RowModel& model, runtime::Random* random);

// Everything that the view has in a range, in as many scans as it takes.
absl::StatusOr<std::vector<Row>> ScanAll(View* view, ScanRequest request);

}  // namespace storage

#endif  // TESTS_STORAGE_ROW_MODEL_H_
