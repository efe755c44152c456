// LogCache: the payloads of the latest batches, so that what was just written is read back without
// the disk. Bounded in bytes; the oldest goes first.
#ifndef STORAGE_LOG_CACHE_H_
#define STORAGE_LOG_CACHE_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "storage/log_index.h"

namespace storage {

class LogCache {
 public:
  explicit LogCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // A batch behind all that were added before.
  void Add(BatchPlace place, std::shared_ptr<const std::string> payload) {
    bytes_ += payload->size();
    batches_.push_back({place, std::move(payload)});
    while (bytes_ > bytes_max_) {
      bytes_ -= batches_.front().payload->size();
      batches_.pop_front();
    }
  }

  // The bytes at `place`, good until the next Add().
  std::optional<absl::string_view> Find(const LogPlace& place) const {
    const std::pair at(place.segment, place.offset);
    auto batch = std::upper_bound(
        batches_.begin(), batches_.end(), at, [](const auto& wanted, const Batch& b) {
          return wanted < std::pair(b.place.segment, b.place.payload_offset);
        });
    if (batch == batches_.begin()) return std::nullopt;
    --batch;
    if (batch->place.segment != place.segment) return std::nullopt;
    const size_t offset = place.offset - batch->place.payload_offset;
    if (offset + place.size > batch->payload->size()) return std::nullopt;
    return absl::string_view(*batch->payload).substr(offset, place.size);
  }

 private:
  struct Batch {
    BatchPlace place;
    std::shared_ptr<const std::string> payload;
  };

  const size_t bytes_max_;
  std::deque<Batch> batches_;  // Ascending by place.
  size_t bytes_ = 0;
};

}  // namespace storage

#endif  // STORAGE_LOG_CACHE_H_
