// RangeSurvey: how much there is in a range, and where its middle is: what a split is decided by.
//
//   RangeSurvey survey(*store->NewView(group), range);
//   while (!survey.done()) RETURN_IF_ERROR(survey.Step());
//
// Walks over all versions of the range. The counts are exact for its view, which is of one moment;
// the middle is off by at most 1/256 of the bytes. Each step looks at a bounded number of versions,
// blocks on the disk, and so is called through runtime::RunBlocking. It pins its view: whoever
// makes one ends it, or drops it. One thread at a time.
#ifndef STORAGE_RANGE_SURVEY_H_
#define STORAGE_RANGE_SURVEY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/key_range.h"
#include "storage/view.h"

namespace storage {

struct RangeStatistics {
  uint64_t rows = 0;        // Keys whose newest version is no deletion.
  uint64_t live_bytes = 0;  // Of those versions, with their keys.
  uint64_t versions = 0;
  uint64_t total_bytes = 0;  // Of all versions, each with its key.
  // About half of the total bytes stand before it. None unless there are two keys.
  std::optional<Key> middle;
};

class RangeSurvey {
 public:
  RangeSurvey(View view, KeyRange range);

  absl::Status Step();
  bool done() const { return done_; }
  // Once done.
  RangeStatistics Result() const;

 private:
  // The middle is looked for among so many keys, spread evenly over the bytes.
  static constexpr size_t kSamplesMax = 1024;
  struct Sample {
    uint64_t bytes_before;
    Key key;
  };

  absl::Status Count(absl::string_view stored_key, absl::string_view sealed);
  void TakeSample(Key key);

  View view_;
  std::string position_;  // The next stored key is at or after it.
  const std::string end_;
  bool done_ = false;
  RangeStatistics counts_;
  std::string prefix_;  // Of the key last counted.
  std::vector<Sample> samples_;
  uint64_t sample_bytes_ = 1;  // Between two samples.
  uint64_t next_sample_ = 0;   // At so many bytes.
};

}  // namespace storage

#endif  // STORAGE_RANGE_SURVEY_H_
