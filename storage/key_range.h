// Keys and ranges of keys. A key is any bytes (see key_encoding.h); keys are ordered as bytes.
#ifndef STORAGE_KEY_RANGE_H_
#define STORAGE_KEY_RANGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace storage {

using Key = std::string;

// All keys at or after `start` and before `end`. An empty `end` is infinity, so that {} is
// everything.
struct KeyRange {
  Key start;
  Key end;

  bool Contains(absl::string_view key) const {
    return key >= start && (end.empty() || key < absl::string_view(end));
  }
  bool Contains(const KeyRange& other) const {
    return other.start >= start && (end.empty() || (!other.end.empty() && other.end <= end));
  }
  // Whether no key is in it.
  bool empty() const { return !end.empty() && start >= end; }

  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// The first key after `key`.
inline Key KeyAfter(absl::string_view key) {
  Key after(key);
  after.push_back('\0');
  return after;
}

}  // namespace storage

#endif  // STORAGE_KEY_RANGE_H_
