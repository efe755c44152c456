#include "storage/range_survey.h"

#include <leveldb/iterator.h>

#include <algorithm>
#include <utility>

#include "runtime/status_macros.h"
#include "storage/database.h"
#include "storage/range_work.h"
#include "storage/stored_key.h"

namespace storage {

RangeSurvey::RangeSurvey(View view, KeyRange range)
    : view_(std::move(view)),
      position_(StoredData(range).start),
      end_(StoredData(range).end),
      done_(range.empty()) {}

absl::Status RangeSurvey::Step() {
  if (done_) return absl::OkStatus();
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view_.iterator(View::Caching::kLeave));
  const uint64_t versions_before = counts_.versions;
  for (it->Seek(position_); it->Valid() && it->key().compare(end_) < 0; it->Next()) {
    if (counts_.versions - versions_before == kEntriesPerStep) {
      position_ = it->key().ToString();
      return view_.IteratorStatus();
    }
    RETURN_IF_ERROR(view_.database().Judge(
        Count({it->key().data(), it->key().size()}, {it->value().data(), it->value().size()})));
  }
  RETURN_IF_ERROR(view_.IteratorStatus());
  done_ = true;
  return absl::OkStatus();
}

absl::Status RangeSurvey::Count(absl::string_view stored_key, absl::string_view sealed) {
  ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(stored_key));
  ASSIGN_OR_RETURN(const StoredVersion version, UnsealVersion(stored_key, sealed));
  ASSIGN_OR_RETURN(Key key, KeyOfDataPrefix(parts.prefix));
  const uint64_t bytes = key.size() + version.row.size();
  if (parts.prefix != prefix_) {
    prefix_.assign(parts.prefix.data(), parts.prefix.size());
    if (version.kind == VersionKind::kRow) {
      ++counts_.rows;
      counts_.live_bytes += bytes;
    }
    if (counts_.total_bytes >= next_sample_) TakeSample(std::move(key));
  }
  ++counts_.versions;
  counts_.total_bytes += bytes;
  return absl::OkStatus();
}

void RangeSurvey::TakeSample(Key key) {
  samples_.push_back({counts_.total_bytes, std::move(key)});
  if (samples_.size() == kSamplesMax) {
    // Every second one goes, and from now on they are twice as far apart.
    for (size_t i = 0; i < kSamplesMax / 2; ++i) samples_[i] = std::move(samples_[2 * i]);
    samples_.resize(kSamplesMax / 2);
    sample_bytes_ = std::max(2 * sample_bytes_, 2 * counts_.total_bytes / kSamplesMax);
  }
  next_sample_ = counts_.total_bytes + sample_bytes_;
}

RangeStatistics RangeSurvey::Result() const {
  RangeStatistics result = counts_;
  uint64_t best = ~uint64_t{0};
  for (size_t i = 1; i < samples_.size(); ++i) {  // The first key has nothing before it.
    const uint64_t twice = 2 * samples_[i].bytes_before;
    const uint64_t off =
        twice > result.total_bytes ? twice - result.total_bytes : result.total_bytes - twice;
    if (off < best) {
      best = off;
      result.middle = samples_[i].key;
    }
  }
  return result;
}

}  // namespace storage
